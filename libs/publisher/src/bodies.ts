import type { Bus, ObjectStore } from "@fnbus/bus";
import { type BodyReference, buckets, createId, FnbusError } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import { toPlatformError } from "./bus-errors.ts";

/** Large bodies beside the bus (claim check, L24). */
export interface Bodies {
  put(partition: number, id: string, body: Uint8Array): Promise<BodyReference>;
  /** Throws `store_unavailable`, also where the object is gone. */
  get(reference: BodyReference): Promise<Uint8Array>;
  /** Later, without being waited for: what is left over is swept by its age (L24). */
  drop(reference: BodyReference): void;
}

export function createBodies(bus: Bus, logger: Logger): Bodies {
  const stores = new Map<string, Promise<ObjectStore>>();
  const open = (bucket: string): Promise<ObjectStore> => {
    const known = stores.get(bucket);
    if (known) return known;
    const opened = bus.objects(bucket);
    stores.set(bucket, opened);
    opened.catch(() => stores.delete(bucket));
    return opened;
  };
  return {
    async put(partition, id, body) {
      const name = `${partition}/${id}/request/${createId()}`;
      try {
        await (await open(buckets.bodies)).put(name, body);
      } catch (error) {
        throw toPlatformError(error, "store_unavailable");
      }
      return { bucket: buckets.bodies, name, bytes: body.length };
    },
    async get({ bucket, name }) {
      try {
        const body = await (await open(bucket)).get(name);
        if (body) return body;
      } catch (error) {
        throw toPlatformError(error, "store_unavailable");
      }
      throw new FnbusError("store_unavailable", "the body is no longer in the object store");
    },
    drop({ bucket, name }) {
      open(bucket)
        .then((store) => store.delete(name))
        .catch((error: unknown) => logger.debug({ err: error, name }, "a body is left for the sweep"));
    },
  };
}
