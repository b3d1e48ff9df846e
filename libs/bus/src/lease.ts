import { setTimeout } from "node:timers/promises";
import { createInbox } from "@nats-io/transport-node";
import { append } from "./append.ts";
import type { Core } from "./core.ts";
import { isBusError } from "./errors.ts";
import { openKeyValue } from "./key-value.ts";
import type { KeyValue, KeyValueEntry, Lease, LeaseOptions } from "./types.ts";

/** What stands under a lease's key. `token` is made anew for each acquisition, so that a write in doubt is recognised. */
interface LeaseValue extends Record<string, unknown> {
  holder: string;
  token: string;
}

const parse = (entry: KeyValueEntry): LeaseValue => JSON.parse(Buffer.from(entry.value).toString("utf8"));
const encode = (value: LeaseValue): Buffer => Buffer.from(JSON.stringify(value));

/**
 * Waits until the key is free, or its revision has not changed for a whole lease by our own monotonic clock, then takes it
 * (LEDGER.md L19). No clock is compared with another's: only revisions are, and the broker lets one writer of a revision win.
 */
export async function acquireLease(
  core: Core,
  name: string,
  options: LeaseOptions,
  signal: AbortSignal,
): Promise<Lease> {
  const ending = AbortSignal.any([signal, core.closing]);
  const pollMs = Math.min(500, options.leaseMs / 5);
  const value: LeaseValue = { ...options.value, holder: options.holder, token: createInbox("lease") };
  let bucket: KeyValue | undefined;
  let seen = -1;
  let seenAt = 0;
  for (;;) {
    ending.throwIfAborted();
    try {
      // Whoever holds it was cut off too, perhaps: its lease counts from when both can be back.
      if (!core.connection.isConnected()) seen = -1;
      await core.connection.whenConnected(ending);
      bucket ??= await openKeyValue(core, name, options.bucket);
      const found = await bucket.get(options.key);
      if (found && found.revision !== seen) {
        seen = found.revision;
        seenAt = performance.now();
      }
      // Our own write whose answer was lost: it is written again, so that we know when.
      const isOurs = found !== undefined && parse(found).token === value.token;
      const isFree = !found || isOurs || performance.now() - seenAt > options.leaseMs;
      if (isFree) {
        const sentAt = performance.now();
        const revision = found
          ? await bucket.update(options.key, encode(value), found.revision)
          : await bucket.create(options.key, encode(value));
        return hold(core, bucket, options, value, revision, sentAt);
      }
    } catch (error) {
      ending.throwIfAborted();
      if (isBusError(error, "not_found", "forbidden", "closed")) throw error;
      // Somebody was faster, or the broker is away: look again. Without an answer a revision has not stood still.
      seen = -1;
    }
    await setTimeout(pollMs, undefined, { signal: ending }).catch(() => undefined);
  }
}

/** Renews every third of the lease until it is released or somebody else stands under the key. */
function hold(
  core: Core,
  bucket: KeyValue,
  options: LeaseOptions,
  first: LeaseValue,
  firstRevision: number,
  firstSentAt: number,
): Lease {
  const { key, leaseMs } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, core.closing]);
  const listeners = new Set<() => void>();
  const timeoutMs = Math.min(2_000, leaseMs / 3);
  let value = first;
  let revision = firstRevision;
  /** When the last acknowledged renewal was sent: its acknowledgement may have taken any time. */
  let renewedAt = firstSentAt;
  let isLost = false;
  let turn: Promise<void> = Promise.resolve();

  const lose = () => {
    if (isLost || stopping.signal.aborted) return;
    isLost = true;
    stopping.abort();
    for (const listener of listeners) listener();
  };
  const write = async () => {
    const sentAt = performance.now();
    const subject = `$KV.${options.bucket}.${key}`;
    try {
      const stored = await append(core, subject, encode(value), { expectedLastSubjectSequence: revision, timeoutMs });
      revision = stored.sequence;
      renewedAt = sentAt;
    } catch (error) {
      if (!isBusError(error, "wrong_sequence")) throw error;
      // An earlier write whose answer was lost may stand there: ours by its token, else somebody took over.
      const found = await bucket.get(key);
      if (!found || parse(found).token !== value.token) return lose();
      revision = found.revision;
      throw error;
    }
  };
  /** One write at a time, or a renewal and a new value would refuse each other. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  const renew = async () => {
    while (!signal.aborted) {
      const isLate = performance.now() - renewedAt > leaseMs / 3;
      await setTimeout(isLate ? leaseMs / 20 : leaseMs / 3, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await core.connection.whenConnected(signal).catch(() => undefined);
      await inTurn(write).catch(() => undefined);
    }
  };
  void renew();

  return {
    get revision() {
      return revision;
    },
    isSafe: () => !isLost && !stopping.signal.aborted && performance.now() - renewedAt < leaseMs / 2,
    async setValue(next) {
      value = { ...next, holder: value.holder, token: value.token };
      await inTurn(async () => {
        try {
          await write();
        } catch (error) {
          if (!isBusError(error, "wrong_sequence")) throw error;
          await write();
        }
      });
    },
    async release() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await turn;
      // A key that cannot be removed now is free after a lease.
      await bucket.delete(key, revision).catch(() => undefined);
    },
    onLost(listener) {
      listeners.add(listener);
    },
  };
}
