import { setTimeout } from "node:timers/promises";
import { AckPolicy, type ConsumerConfig, DeliverPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Core } from "./core.ts";
import { BusError, isBusError, raise, toBusError } from "./errors.ts";
import type { Delivered } from "./messages.ts";
import { pullUntilLost } from "./pull.ts";
import type { LogReader } from "./types.ts";

/** Where an ordered reader begins. `last-per-subject`: the newest of each subject, then everything that follows. */
export type ReadStart = { at: "sequence"; sequence: number } | { at: "last-per-subject" };

export interface OrderedReaderOptions {
  stream: string;
  name: string;
  start: ReadStart;
  onBatch(batch: Delivered[]): void | Promise<void>;
  /** The stream ends below what was read: it was made anew or restored from an older copy. The reader has stopped. */
  onRewound(message: string): void;
  /** Called once, with how many messages there were to read when the reader began. */
  onStart?(pending: number): void;
}

const BATCH = 256;
const RETRY_MS = { first: 50, most: 2_000 };
/** The server forgets a consumer that nobody pulls from; a reader that comes back makes another. */
const INACTIVE_MS = 60_000;

/**
 * Reads a stream in order for ever. Delivery numbers of a consumer have no gap and stream sequences only grow, so
 * nothing is missed or doubled within one consumer's life; whenever its life ends (a delivery number skipped, silence, a
 * lost connection, a lost leader) another begins behind the last message that was handed over.
 */
export async function openOrderedReader(core: Core, options: OrderedReaderOptions): Promise<LogReader> {
  const { stream } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, core.closing]);
  /** 0: nothing read yet, begin as `start` says. */
  let next = options.start.at === "sequence" ? Math.max(1, options.start.sequence) : 0;

  const open = async (): Promise<{ name: string; pending: number }> => {
    const config: Partial<ConsumerConfig> = {
      ack_policy: AckPolicy.None,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(INACTIVE_MS),
      ...(next === 0
        ? { deliver_policy: DeliverPolicy.LastPerSubject, filter_subject: ">" }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: next }),
    };
    const info = await core.manager.consumers.add(stream, config).catch((error) => {
      throw toBusError(error, `reading ${stream}`);
    });
    return { name: info.name, pending: info.num_pending };
  };
  /** Only asked from the second consumer on: the caller judges where it begins by itself. */
  const isRewound = async (): Promise<boolean> => {
    const { state } = await core.manager.streams.info(stream);
    return state.last_seq < next - 1;
  };
  const readWith = async (consumer: string) => {
    let delivery = 0;
    const lost = new AbortController();
    await pullUntilLost(core, {
      stream,
      consumer,
      batch: BATCH,
      name: options.name,
      signal: AbortSignal.any([signal, lost.signal]),
      async onBatch(batch) {
        let whole = 0;
        while (whole < batch.length && batch[whole]!.delivery === delivery + 1) {
          delivery++;
          whole++;
        }
        const good = whole === batch.length ? batch : batch.slice(0, whole);
        if (whole < batch.length) lost.abort();
        if (good.length === 0 || signal.aborted) return;
        next = good.at(-1)!.sequence + 1;
        await options.onBatch(good);
      },
    });
    // Not awaited, and no matter whether it succeeds: the server removes it after INACTIVE_MS otherwise.
    if (core.connection.isConnected()) core.manager.consumers.delete(stream, consumer).catch(() => false);
  };
  const readOn = async (first: string) => {
    let consumer: string | undefined = first;
    let wait = RETRY_MS.first;
    while (!signal.aborted) {
      try {
        await core.connection.whenConnected(signal);
        if (consumer === undefined) {
          if (await isRewound()) {
            stopping.abort();
            return options.onRewound(`${stream} ends below ${next - 1}, which was read: it is not the stream it was`);
          }
          consumer = (await open()).name;
        }
        const before = next;
        await readWith(consumer);
        if (next > before) wait = RETRY_MS.first;
      } catch {
        // Whatever it was (no leader, broker away): tried again until it works or the reader is stopped.
      }
      consumer = undefined;
      await setTimeout(wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(wait * 2, RETRY_MS.most);
    }
  };

  const first = await open();
  options.onStart?.(first.pending);
  const reading = readOn(first.name).catch(raise);
  return {
    async stop() {
      stopping.abort();
      await reading;
    },
  };
}

/** `Bus.readLog`: a rewound stream ends the process, since what was built from it no longer holds (LEDGER.md L7). */
export async function readLog(
  core: Core,
  name: string,
  stream: string,
  from: number,
  onMessages: (batch: Delivered[]) => void | Promise<void>,
): Promise<LogReader> {
  const start: ReadStart = { at: "sequence", sequence: from };
  const options: OrderedReaderOptions = {
    stream,
    name,
    start,
    onBatch: onMessages,
    onRewound: (message) => raise(new BusError("mismatch", message)),
  };
  for (;;) {
    try {
      return await openOrderedReader(core, options);
    } catch (error) {
      if (!isBusError(error, "timeout", "disconnected", "no_responders") || core.closing.aborted) throw error;
      await core.connection.whenConnected(core.closing);
    }
  }
}
