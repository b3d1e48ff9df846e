import { append } from "./append.ts";
import type { Core } from "./core.ts";
import { BusError, isBusError, toBusError } from "./errors.ts";
import { readLast } from "./read-stored.ts";
import type { AppendOptions, KeyValue, StoredMessage } from "./types.ts";
import { watch } from "./watch.ts";

/**
 * Key-value buckets as every NATS client lays them out (ADR-8): stream KV_<bucket>, subject $KV.<bucket>.<key>, a
 * removal is a message with KV-Operation. Written with our own append, so that a lost connection fails a write at once
 * and a lease never waits for the client library's time-outs.
 */
export const toBucketStream = (bucket: string): string => `KV_${bucket}`;
const OPERATION = "KV-Operation";
const key = /^[-/=.\w]+$/;

const isRemoved = (message: StoredMessage): boolean => {
  const operation = message.header(OPERATION);
  return operation === "DEL" || operation === "PURGE";
};

export async function openKeyValue(core: Core, name: string, bucket: string): Promise<KeyValue> {
  const stream = toBucketStream(bucket);
  const prefix = `$KV.${bucket}.`;
  await core.manager.streams.info(stream).catch((error) => {
    throw toBusError(error, `bucket ${bucket}`);
  });
  const toSubject = (text: string): string => {
    if (!key.test(text)) throw new BusError("forbidden", `${JSON.stringify(text)} cannot be a key`);
    return prefix + text;
  };
  const write = async (text: string, value: Uint8Array, options: AppendOptions): Promise<number> =>
    (await append(core, toSubject(text), value, options)).sequence;

  const create = async (text: string, value: Uint8Array): Promise<number> => {
    try {
      return await write(text, value, { expectedLastSubjectSequence: 0 });
    } catch (error) {
      if (!isBusError(error, "wrong_sequence")) throw error;
      const last = await readLast(core, stream, toSubject(text));
      if (last && !isRemoved(last)) throw new BusError("exists", `${text} exists in ${bucket}`);
      return write(text, value, { expectedLastSubjectSequence: last?.sequence ?? 0 });
    }
  };

  return {
    create,
    async get(text) {
      const last = await readLast(core, stream, toSubject(text));
      if (!last || isRemoved(last)) return undefined;
      return { key: text, value: last.data, revision: last.sequence, at: last.at };
    },
    put: (text, value) => write(text, value, {}),
    update: (text, value, revision) => write(text, value, { expectedLastSubjectSequence: revision }),
    delete(text, revision) {
      const headers = { [OPERATION]: "DEL" };
      const fence = revision === undefined ? {} : { expectedLastSubjectSequence: revision };
      return write(text, new Uint8Array(0), { headers, ...fence });
    },
    async forget(text, revision) {
      await core.manager.streams.purge(stream, { filter: toSubject(text), seq: revision + 1 }).catch((error) => {
        throw toBusError(error, `forgetting ${text} of ${bucket}`);
      });
    },
    watch: (onChange) => watch(core, { name, stream, prefix, isRemoved }, onChange),
  };
}
