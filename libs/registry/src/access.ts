import type { Bus } from "@fnbus/bus";
import { type AccessKey, buckets, FnbusError } from "@fnbus/contract";
import { decode, encode, write } from "./entries.ts";
import type { Access } from "./types.ts";

/** Ids of OAuth2 clients are `app::<ULID>` (wire-compatibility.md 7.5); a colon cannot stand in a bucket's key. */
const bucketKey = (id: string): string => `key.${id.replaceAll(":", "=")}`;

/** Keys, clients and tokens of this process: reads from memory, writes to the broker. */
export async function createAccess(bus: Bus): Promise<Access> {
  const bucket = await bus.keyValue(buckets.access);
  const keys = new Map<string, AccessKey>();
  const watch = await bucket.watch(({ key, value }) => {
    const id = key.slice("key.".length).replaceAll("=", ":");
    if (value) keys.set(id, decode<AccessKey>(value));
    else keys.delete(id);
  });
  return {
    keyById: (id) => keys.get(id),
    keys: () => [...keys.values()],
    async putKey(key) {
      await write(bucket.put(bucketKey(key.id), encode(key)));
      // Whoever made it may use it at once, here; other processes hear of it by their watch.
      keys.set(key.id, key);
    },
    async deleteKey(id) {
      if (!(await write(bucket.get(bucketKey(id))))) throw new FnbusError("key_not_found");
      await write(bucket.delete(bucketKey(id)));
      keys.delete(id);
    },
    stop: () => watch.stop(),
  };
}
