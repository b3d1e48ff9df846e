import { append } from "./append.ts";
import type { Core } from "./core.ts";
import { BusError, isBusError, toBusError } from "./errors.ts";
import { openOrderedReader } from "./read-log.ts";
import { readLast } from "./read-stored.ts";
import type { AppendOptions, KeyValue, LogReader, StoredMessage } from "./types.ts";

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
    watch: (onChange) => watch(core, { name, stream, prefix }, onChange),
  };
}

type Change = Parameters<Parameters<KeyValue["watch"]>[0]>[0];

/** A log read from the newest of each key on. After a break it resumes behind what it has had, so removals come too. */
async function watch(
  core: Core,
  bucket: { name: string; stream: string; prefix: string },
  onChange: (change: Change) => void,
): Promise<{ stop(): void }> {
  const { name, stream, prefix } = bucket;
  const known = new Set<string>();
  let reader: LogReader | undefined;
  let stopped = false;

  const apply = (message: StoredMessage): string => {
    const text = message.subject.slice(prefix.length);
    const removed = isRemoved(message);
    if (removed) known.delete(text);
    else known.add(text);
    onChange({ key: text, value: removed ? undefined : message.data, revision: message.sequence, at: message.at });
    return text;
  };
  /** Hands over what is present and follows. Keys known before that are gone from a stream made anew are removed. */
  const begin = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const before = new Set(known);
      let isPresent = false;
      const finish = (revision: number, at: number) => {
        isPresent = true;
        for (const text of before) {
          known.delete(text);
          onChange({ key: text, value: undefined, revision, at });
        }
        resolve();
      };
      openOrderedReader(core, {
        stream,
        name,
        start: { at: "last-per-subject" },
        onStart: (pending) => pending === 0 && finish(0, 0),
        onBatch(batch) {
          for (const message of batch) before.delete(apply(message));
          const last = batch.at(-1)!;
          if (!isPresent && last.pending === 0) finish(last.sequence, last.at);
        },
        onRewound: () => void restart(),
      }).then((opened) => {
        reader = opened;
        if (stopped) void opened.stop();
      }, reject);
    });
  const restart = async () => {
    while (!stopped && !core.closing.aborted) {
      try {
        return await begin();
      } catch {
        await core.connection.whenConnected(core.closing).catch(() => undefined);
      }
    }
  };
  await begin();
  return {
    stop() {
      stopped = true;
      void reader?.stop();
    },
  };
}
