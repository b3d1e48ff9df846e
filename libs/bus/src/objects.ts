import { type ObjectStore as LibraryStore, Objm } from "@nats-io/obj";
import type { Core } from "./core.ts";
import { BusError, toBusError } from "./errors.ts";
import type { ObjectStore } from "./types.ts";

/** Objects as every NATS client lays them out (ADR-20): stream OBJ_<bucket>, chunks and a description each. */
export const toObjectStream = (bucket: string): string => `OBJ_${bucket}`;

/** The library keeps no other name apart (it encodes them as latin-1), and no other is needed. */
const objectName = /^[\x21-\x7e]{1,255}$/;

/** Longest single transfer: 50 MB on a slow disk, chunk by chunk. */
const TRANSFER_MS = 60_000;

export async function openObjects(core: Core, bucket: string): Promise<ObjectStore> {
  const store: LibraryStore = await new Objm(core.jetstream).open(bucket).catch((error: Error) => {
    if (error.message === "object store not found") throw new BusError("not_found", `no object bucket ${bucket}`);
    throw toBusError(error, `object bucket ${bucket}`);
  });
  /** The library waits for chunks without a limit when a connection breaks: what takes too long is given up. */
  const within = async <T>(what: string, work: Promise<T>): Promise<T> => {
    if (!core.connection.isConnected()) {
      work.catch(() => undefined);
      throw new BusError("disconnected", `${what}: not connected`);
    }
    let timer: NodeJS.Timeout | undefined;
    let offStatus = () => {};
    const broken = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new BusError("timeout", `${what} took over ${TRANSFER_MS} ms`)), TRANSFER_MS);
      offStatus = core.connection.onStatus(() => reject(new BusError("disconnected", `${what}: connection lost`)));
    });
    try {
      return await Promise.race([work, broken]);
    } catch (error) {
      work.catch(() => undefined);
      throw toBusError(error, what);
    } finally {
      clearTimeout(timer);
      offStatus();
    }
  };
  const check = (name: string) => {
    if (!objectName.test(name)) throw new BusError("forbidden", `${JSON.stringify(name)} cannot be an object's name`);
  };
  return {
    async put(name, bytes) {
      check(name);
      await within(`put of ${name}`, store.putBlob({ name }, bytes));
    },
    async get(name) {
      check(name);
      return (await within(`get of ${name}`, store.getBlob(name))) ?? undefined;
    },
    async delete(name) {
      check(name);
      const stream = toObjectStream(bucket);
      const found = await within(`look-up of ${name}`, store.info(name));
      if (!found) return;
      await within(`delete of ${name}`, store.delete(name));
      // The library leaves a marker for each removed name for ever; names here are never used again.
      const filter = `$O.${bucket}.M.${Buffer.from(name).toString("base64").replaceAll("+", "-").replaceAll("/", "_")}`;
      await within(`delete of ${name}`, core.manager.streams.purge(stream, { filter }));
    },
    async list() {
      const found = await within(`list of ${bucket}`, store.list());
      return found.map(({ name, size, mtime }) => ({ name, bytes: size, at: Date.parse(mtime) }));
    },
  };
}
