import { setTimeout } from "node:timers/promises";
import type { Core } from "./core.ts";
import { isBusError, raise } from "./errors.ts";
import type { Delivered } from "./messages.ts";
import { openConsumer, readConsumer } from "./ordered-consumer.ts";
import type { KeyValue } from "./types.ts";

type OnChange = Parameters<KeyValue["watch"]>[0];

const RETRY_MS = 250;

/** Where a bucket's entries are, and which of them say that a key was removed. */
export interface WatchedBucket {
  name: string;
  stream: string;
  prefix: string;
  isRemoved(message: Delivered): boolean;
}

/** Two streams of one name may give the same number: what is the same has its time too. */
const toMark = ({ sequence, at }: Delivered): string => `${sequence}@${at}`;

/**
 * `KeyValue.watch`: everything present, then every change. When the consumer's life ends everything present is read
 * anew and compared: what is known already is not told again, and what is no longer there was removed, even where it
 * left no marker or the whole bucket was made anew.
 */
export function watch(core: Core, bucket: WatchedBucket, onChange: OnChange): Promise<{ stop(): void }> {
  const { name, stream, prefix } = bucket;
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, core.closing]);
  const known = new Map<string, string>();

  const apply = (key: string, message: Delivered) => {
    const mark = toMark(message);
    if (known.get(key) === mark) return;
    const removed = bucket.isRemoved(message);
    if (removed) known.delete(key);
    else known.set(key, mark);
    onChange({ key, value: removed ? undefined : message.data, revision: message.sequence, at: message.at });
  };
  /** One consumer's life. */
  const follow = async (onPresent: () => void) => {
    const missing = new Set(known.keys());
    let isPresent = false;
    const finish = (revision: number, at: number) => {
      isPresent = true;
      for (const key of missing) {
        known.delete(key);
        onChange({ key, value: undefined, revision, at });
      }
      onPresent();
    };
    const { consumer, pending } = await openConsumer(core, stream, { at: "last-per-subject" });
    if (pending === 0) finish(0, 0);
    const onBatch = (batch: Delivered[]) => {
      for (const message of batch) {
        const key = message.subject.slice(prefix.length);
        missing.delete(key);
        apply(key, message);
      }
      const last = batch.at(-1)!;
      if (!isPresent && last.pending === 0) finish(last.sequence, last.at);
    };
    await readConsumer(core, { stream, consumer, name, signal, onBatch });
  };

  return new Promise((resolve, reject) => {
    let isOpen = false;
    const onPresent = () => {
      isOpen = true;
      resolve({ stop: () => stopping.abort() });
    };
    const run = async () => {
      while (!signal.aborted) {
        try {
          await core.connection.whenConnected(signal);
          await follow(onPresent);
        } catch (error) {
          if (!isOpen && isBusError(error, "not_found", "forbidden", "closed")) return reject(error);
          // No leader, broker away: tried again until it works or the watch is stopped.
        }
        await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
      reject(signal.reason);
    };
    run().catch(raise);
  });
}
