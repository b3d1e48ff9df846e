import { setTimeout } from "node:timers/promises";
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Core } from "./core.ts";
import { isBusError, raise, toBusError } from "./errors.ts";
import type { Delivered } from "./messages.ts";
import { pullUntilLost } from "./pull.ts";
import type { DurableMessage, LogReader } from "./types.ts";

const RETRY_MS = 500;
const MOST_BATCH = 256;

/**
 * A durable pull consumer: explicit acknowledgement, no limit of deliveries (the server's limit leaves a message
 * invisible in the stream), `ackWaitMs` as the lease of a message. Handlers run side by side, `maxPending` at most.
 */
export async function readDurable(
  core: Core,
  name: string,
  stream: string,
  durable: string,
  options: { ackWaitMs: number; maxPending: number },
  onMessage: (message: DurableMessage) => void | Promise<void>,
): Promise<LogReader> {
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, core.closing]);
  const running = new Set<Promise<void>>();

  const ensure = () =>
    core.manager.consumers
      .add(stream, {
        durable_name: durable,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(options.ackWaitMs),
        max_deliver: -1,
        max_ack_pending: options.maxPending,
        deliver_policy: DeliverPolicy.All,
      })
      .catch((error) => {
        throw toBusError(error, `reading ${stream} as ${durable}`);
      });
  /** An acknowledgement that is lost comes again as a message: handlers are idempotent. */
  const answer = (message: Delivered, text: string) => {
    if (core.connection.isConnected()) core.outgoing.send(message.reply, Buffer.from(text));
  };
  const toDurable = (message: Delivered): DurableMessage => ({
    ...message,
    ack: () => answer(message, "+ACK"),
    nak: (delayMs) => answer(message, `-NAK ${JSON.stringify({ delay: nanos(delayMs) })}`),
    working: () => answer(message, "+WPI"),
  });
  const handle = async (message: Delivered) => {
    await onMessage(toDurable(message));
  };
  const onBatch = async (batch: Delivered[]) => {
    for (const message of batch) {
      if (signal.aborted) return;
      const one = handle(message)
        .catch(raise)
        .finally(() => running.delete(one));
      running.add(one);
      if (running.size >= options.maxPending) await Promise.race(running);
    }
  };
  const readOn = async () => {
    while (!signal.aborted) {
      try {
        await core.connection.whenConnected(signal);
        await ensure();
        const batch = Math.min(options.maxPending, MOST_BATCH);
        await pullUntilLost(core, { stream, consumer: durable, batch, name, signal, onBatch });
      } catch (error) {
        if (isBusError(error, "mismatch")) return raise(error);
      }
      await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  };

  await ensure();
  const reading = readOn().catch(raise);
  return {
    async stop() {
      stopping.abort();
      await reading;
      await Promise.all(running);
    },
  };
}
