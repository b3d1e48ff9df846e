import { createHash } from "node:crypto";
import { type ObjectStore as LibraryStore, type ObjectInfo, Objm } from "@nats-io/obj";
import type { Core } from "./core.ts";
import { BusError, toBusError } from "./errors.ts";
import { readLast, readNext } from "./read-stored.ts";
import type { ObjectStore } from "./types.ts";

/** Objects as every NATS client lays them out (ADR-20): stream OBJ_<bucket>, chunks and a description each. */
export const toObjectStream = (bucket: string): string => `OBJ_${bucket}`;

const toDescriptionSubject = (bucket: string, name: string): string =>
  `$O.${bucket}.M.${Buffer.from(name).toString("base64").replaceAll("+", "-").replaceAll("/", "_")}`;

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
      return within(`get of ${name}`, readObject(core, bucket, name));
    },
    async delete(name) {
      check(name);
      const stream = toObjectStream(bucket);
      const found = await within(`look-up of ${name}`, store.info(name));
      if (!found) return;
      await within(`delete of ${name}`, store.delete(name));
      // The library leaves a marker for each removed name for ever; names here are never used again.
      const filter = toDescriptionSubject(bucket, name);
      await within(`delete of ${name}`, core.manager.streams.purge(stream, { filter }));
    },
    async list() {
      const found = await within(`list of ${bucket}`, store.list());
      return found.map(({ name, size, mtime }) => ({ name, bytes: size, at: Date.parse(mtime) }));
    },
  };
}

/**
 * Message by message. The library makes a consumer for each get and leaves it to the server, which forgets it after
 * five minutes and refuses more than a thousand of them: a thousand gets in that time, and no object can be read.
 */
async function readObject(core: Core, bucket: string, name: string): Promise<Uint8Array | undefined> {
  const stream = toObjectStream(bucket);
  const info = await readInfo(core, bucket, name);
  if (!info) return undefined;
  const damaged = new BusError(
    "not_stored",
    `object ${name} of ${bucket} is damaged: its bytes are not those that were put`,
  );
  const chunks: Uint8Array[] = [];
  for (let next = 1; chunks.length < info.chunks; ) {
    const chunk = await readNext(core, stream, `$O.${bucket}.C.${info.nuid}`, next);
    if (!chunk) {
      // Removed or put anew while it was read; else a part of it is gone, which is never told as "no such object".
      if ((await readInfo(core, bucket, name))?.nuid === info.nuid) throw damaged;
      return readObject(core, bucket, name);
    }
    chunks.push(chunk.data);
    next = chunk.sequence + 1;
  }
  const bytes = Buffer.concat(chunks);
  const digest = `SHA-256=${createHash("sha256").update(bytes).digest("base64url")}`;
  if (bytes.length !== info.size || toUnpadded(info.digest) !== digest) throw damaged;
  return bytes;
}

/** What stands of an object; undefined: there is none. */
async function readInfo(core: Core, bucket: string, name: string): Promise<ObjectInfo | undefined> {
  const found = await readLast(core, toObjectStream(bucket), toDescriptionSubject(bucket, name));
  const info = found && (JSON.parse(Buffer.from(found.data).toString("utf8")) as ObjectInfo);
  return info?.deleted ? undefined : info;
}

const toUnpadded = (digest: string): string => digest.replace(/=+$/, "");
