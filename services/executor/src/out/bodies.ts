import { randomBytes } from "node:crypto";
import type { ObjectStore } from "@fnbus/bus";
import { type BodyReference, buckets, type EnvelopeMeta, FnbusError } from "@fnbus/contract";

/** Bodies that no message carries: in the object store, named as LEDGER.md L24 says. Throws `store_unavailable`. */
export function createBodies(store: ObjectStore) {
  const failed = (what: string, cause?: unknown) => new FnbusError("store_unavailable", what, { cause });
  return {
    async read(meta: EnvelopeMeta): Promise<Uint8Array> {
      const body = await store.get(meta.bodyReference!.name).catch((error: unknown) => {
        throw failed("the request's body cannot be read", error);
      });
      if (!body) throw failed("the request's body is no longer in the object store");
      return body;
    },
    async store(meta: Pick<EnvelopeMeta, "partition" | "id">, body: Uint8Array): Promise<BodyReference> {
      const name = `${meta.partition}/${meta.id}/result/${randomBytes(8).toString("hex")}`;
      await store.put(name, body).catch((error: unknown) => {
        throw failed("the answer cannot be stored", error);
      });
      return { bucket: buckets.bodies, name, bytes: body.length };
    },
  };
}
export type Bodies = ReturnType<typeof createBodies>;
