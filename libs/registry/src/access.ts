import type { Bus } from "@fnbus/bus";
import { type AccessKey, buckets, FnbusError } from "@fnbus/contract";
import { decode, encode, warnUnreadable, write } from "./entries.ts";
import type { Access, AccessOptions } from "./types.ts";

/** Ids of OAuth2 clients are `app::<ULID>` (wire-compatibility.md 7.5); a colon cannot stand in a bucket's key. */
const bucketKey = (id: string): string => `key.${id.replaceAll(":", "=")}`;

const SWEEP_MS = 600_000;
/** Clocks differ: a token is forgotten when it has expired by everybody's. */
const EXPIRED_MS = 3_600_000;

interface Held {
  key: AccessKey;
  revision: number;
}

/** Tokens are many and end by themselves; keys and clients are few and made by people. */
const isToken = (key: AccessKey): key is AccessKey & { expiresAt: number } =>
  key.kind === "token" && key.expiresAt !== undefined;
const isGone = (key: AccessKey): boolean => isToken(key) && key.revokedAt !== undefined;

/**
 * Keys, clients and tokens of this process: reads from memory, writes to the broker.
 *
 * A removed key leaves a marker in the bucket for ever. A removed token would too, and there is no end of them (I11): it
 * is marked as revoked instead, and every token is forgotten without a marker an hour after it has expired.
 */
export async function createAccess(bus: Bus, options: AccessOptions = {}): Promise<Access> {
  const { sweepEveryMs = SWEEP_MS, keepExpiredMs = EXPIRED_MS } = options;
  const bucket = await bus.keyValue(buckets.access);
  const held = new Map<string, Held>();
  const hold = (key: AccessKey, revision: number) => {
    if (revision >= (held.get(key.id)?.revision ?? 0)) held.set(key.id, { key, revision });
  };
  const put = async (key: AccessKey) => {
    // Whoever made it may use it at once, here; other processes hear of it by their watch.
    hold(key, await write(bucket.put(bucketKey(key.id), encode(key))));
  };
  const watch = await bucket.watch(({ key, value, revision }) => {
    const id = key.slice("key.".length).replaceAll("=", ":");
    if (!value) return void held.delete(id);
    try {
      hold(decode<AccessKey>(value), revision);
    } catch (error) {
      warnUnreadable(key, error);
    }
  });

  const sweep = async () => {
    const before = Date.now() - keepExpiredMs;
    for (const [id, { key, revision }] of held) {
      if (!isToken(key) || key.expiresAt >= before) continue;
      await bucket.forget(bucketKey(id), revision);
      if (held.get(id)?.revision === revision) held.delete(id);
    }
  };
  let sweeping = false;
  const timer = setInterval(() => {
    if (sweeping) return;
    sweeping = true;
    // What could not be forgotten now is in the next sweep.
    sweep()
      .catch(() => undefined)
      .finally(() => {
        sweeping = false;
      });
  }, sweepEveryMs);
  timer.unref();

  return {
    keyById(id) {
      const key = held.get(id)?.key;
      return key && !isGone(key) ? key : undefined;
    },
    keys: () => [...held.values()].map(({ key }) => key).filter((key) => !isGone(key)),
    putKey: put,
    async deleteKey(id) {
      const found = await write(bucket.get(bucketKey(id)));
      const key = found && decode<AccessKey>(found.value);
      if (!key || isGone(key)) throw new FnbusError("key_not_found");
      if (isToken(key)) return put({ ...key, secretHash: "", scopes: [], revokedAt: Date.now() });
      await write(bucket.delete(bucketKey(id)));
      held.delete(id);
    },
    stop() {
      clearInterval(timer);
      watch.stop();
    },
  };
}
