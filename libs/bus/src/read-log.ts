import { setTimeout } from "node:timers/promises";
import type { Core } from "./core.ts";
import { BusError, isBusError, raise } from "./errors.ts";
import type { Delivered } from "./messages.ts";
import { openConsumer, readConsumer } from "./ordered-consumer.ts";
import type { LogReader } from "./types.ts";

const RETRY_MS = { first: 50, most: 2_000 };

/**
 * `Bus.readLog`: reads a stream in order for ever. When a consumer's life ends, another begins behind the last message
 * that was handed over. A stream that ends below that was made anew or restored from an older copy: it ends the process,
 * since what was built from it no longer holds (LEDGER.md L7).
 */
export async function readLog(
  core: Core,
  name: string,
  stream: string,
  from: number,
  onMessages: (batch: Delivered[]) => void | Promise<void>,
): Promise<LogReader> {
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, core.closing]);
  let next = Math.max(1, from);

  const open = async (): Promise<string> =>
    (await openConsumer(core, stream, { at: "sequence", sequence: next })).consumer;
  const openFirst = async (): Promise<string> => {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (!isBusError(error, "timeout", "disconnected", "no_responders") || core.closing.aborted) throw error;
        await core.connection.whenConnected(core.closing);
      }
    }
  };
  /** Only asked from the second consumer on: the caller judges where it begins by itself. */
  const isRewound = async (): Promise<boolean> => {
    const { state } = await core.manager.streams.info(stream);
    return state.last_seq < next - 1;
  };
  const onBatch = (batch: Delivered[]) => {
    next = batch.at(-1)!.sequence + 1;
    return onMessages(batch);
  };
  const readOn = async (first: string) => {
    let consumer: string | undefined = first;
    let wait = RETRY_MS.first;
    while (!signal.aborted) {
      const before = next;
      try {
        await core.connection.whenConnected(signal);
        if (consumer === undefined && (await isRewound()))
          return raise(new BusError("mismatch", `${stream} ends below ${next - 1}, which was read: it was made anew`));
        await readConsumer(core, { stream, consumer: consumer ?? (await open()), name, signal, onBatch });
      } catch {
        // Whatever it was (no leader, broker away): tried again until it works or the reader is stopped.
      }
      consumer = undefined;
      if (next > before) wait = RETRY_MS.first;
      await setTimeout(wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(wait * 2, RETRY_MS.most);
    }
  };

  const reading = readOn(await openFirst()).catch(raise);
  return {
    async stop() {
      stopping.abort();
      await reading;
    },
  };
}
