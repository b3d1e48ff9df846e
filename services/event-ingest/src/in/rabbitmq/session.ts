import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumeMessage } from "amqplib";
import { waitForTarget } from "../broker/target.ts";
import { connectRabbitmq, declare } from "./connecting.ts";
import { createReceiving, type SourceContext } from "./receiving.ts";

/** Messages that the broker hands out before some are acknowledged: the bound of what is held here (I11). */
const PREFETCH = 200;
/** A broker that is gone is not waited for, ms. */
const CLOSE_MS = 3_000;

/**
 * One connection, from connecting to its end. Resolves when `ending` ends it; throws where the broker does. What was not
 * acknowledged is delivered again, by the broker.
 */
export async function runSession(context: SourceContext, ending: AbortSignal): Promise<void> {
  const { deps, trigger, status, health, facts } = context;
  const { prefetch, batchSize = 0 } = trigger.config;
  if (trigger.function) await waitForTarget(deps.registry, trigger, health, ending);

  const connection = await connectRabbitmq(trigger, deps.guard);
  const lost = new AbortController();
  const { promise: ended, resolve: end, reject } = Promise.withResolvers<void>();
  const fail = (error: unknown) => {
    lost.abort(error);
    reject(error);
  };
  ended.catch(() => undefined);
  ending.addEventListener("abort", () => end(), { once: true });
  if (ending.aborted) end();
  connection.on("error", fail);
  connection.on("close", () => fail(new Error("the connection was closed")));
  facts.unacknowledged = 0;
  try {
    const channel = await connection.createChannel();
    channel.on("error", fail);
    channel.on("close", () => fail(new Error("the channel was closed")));
    const acknowledge = (message: ConsumeMessage) => {
      facts.unacknowledged--;
      if (!lost.signal.aborted) channel.ack(message);
    };
    const receiving = createReceiving(context, acknowledge, AbortSignal.any([ending, lost.signal]));
    try {
      await declare(connection, channel, trigger);
      await channel.prefetch(prefetch ?? Math.max(PREFETCH, 2 * batchSize));
      await channel.consume(facts.queue, (message) => {
        if (!message) return fail(new Error(`the broker cancelled the consumer of ${facts.queue}`));
        if (ending.aborted) return;
        status.received();
        facts.unacknowledged++;
        receiving.take(message);
      });
      health.well("connection");
      await ended;
    } finally {
      await receiving.stop();
    }
  } catch (error) {
    // The channel's own reason says more than that the channel is closed.
    throw lost.signal.aborted ? lost.signal.reason : error;
  } finally {
    await Promise.race([connection.close().catch(() => undefined), sleep(CLOSE_MS)]);
  }
}
