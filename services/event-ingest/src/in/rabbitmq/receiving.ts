import { limits, type RegisteredFunction, type TriggerOf } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";
import type { SourceStatus } from "@fnbus/sources";
import type { ConsumeMessage } from "amqplib";
import { toMessageText } from "../../core/message-text.ts";
import { RABBITMQ_HEAD_BYTES } from "../../core/rabbitmq-event.ts";
import { toMessageCalls, whyPoison } from "../../core/rabbitmq-message.ts";
import type { Health } from "../broker/health.ts";
import { sendUntil } from "../broker/send.ts";
import { waitForTarget } from "../broker/target.ts";
import type { BrokerDeps } from "../broker/types.ts";
import { createBatching, type Waiting } from "./batching.ts";
import { toBatchCall, toMessage } from "./calls.ts";
import type { Routes } from "./routes.ts";

/** What the report shows of the queue. */
export interface QueueFacts {
  queue: string;
  /** Received and not acknowledged yet. */
  unacknowledged: number;
  /** Acknowledged although no function asks for their routing key. */
  unmatched: number;
}

export interface SourceContext {
  deps: BrokerDeps;
  trigger: TriggerOf<"rabbitmq">;
  status: SourceStatus;
  health: Health;
  routes: Routes;
  facts: QueueFacts;
}

/** Turns messages into invocations, and says of each when it may be acknowledged. */
export interface Receiving {
  take(message: ConsumeMessage): void;
  /** What is in flight is finished; what waits is left to the broker. */
  stop(): Promise<void>;
}

const MOST_BYTES = limits.requestBodyBytes - RABBITMQ_HEAD_BYTES;
const TOO_LARGE = `larger than ${limits.requestBodyBytes} bytes in an event`;

export function createReceiving(
  { deps, trigger, status, health, routes, facts }: SourceContext,
  acknowledge: (message: ConsumeMessage) => void,
  signal: AbortSignal,
): Receiving {
  const { publisher, registry, logger } = deps;
  const { queue } = facts;
  const handling = new Set<Promise<void>>();
  const ownTarget = () => waitForTarget(registry, trigger, health, signal);

  async function giveUp(messages: readonly ConsumeMessage[], reason: string): Promise<void> {
    const { content, properties } = messages[0]!;
    const first = properties.messageId ? `${properties.messageId}` : `of ${content.length} bytes`;
    const what = `rabbitmq message ${queue} ${first}`;
    await publisher.giveUp({ trigger, what, reason, details: { messages: messages.length } });
    status.givenUp(messages.length);
    logger.warn({ trigger: trigger.id, what, reason }, "messages were given up");
  }
  const publish = async (call: EventCall) => {
    await sendUntil(() => publisher.send(call), { health, logger, signal });
    status.published();
  };
  /** Acknowledged when all is durable; what can never be is given up by name first (I6). */
  async function settle(messages: readonly ConsumeMessage[], work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // The message stays the broker's.
      if (signal.aborted) return;
      await giveUp(messages, error instanceof Error ? error.message : "refused");
    }
    for (const message of messages) acknowledge(message);
  }
  const targetsOf = async (routingKey: string): Promise<RegisteredFunction[]> =>
    trigger.function ? [await ownTarget()] : routes.match(trigger, routingKey);

  const one = (delivered: ConsumeMessage) =>
    settle([delivered], async () => {
      const message = toMessage(delivered);
      const poison = whyPoison(message);
      if (poison) return giveUp([delivered], poison);
      const targets = await targetsOf(message.routingKey);
      if (targets.length === 0) facts.unmatched++;
      await Promise.all(toMessageCalls(trigger, targets, queue, message).map(publish));
    });
  const batch = (waiting: readonly Waiting[]) =>
    settle(
      waiting.map(({ message }) => message),
      async () => {
        const texts = waiting.map(({ text }) => text);
        await publish(toBatchCall(trigger, await ownTarget(), texts, Date.now()));
      },
    );
  const batching = createBatching(trigger.config, batch);
  /** A give-up that is cut off by the end is the only thing that is thrown: the message stays the broker's. */
  const run = (work: Promise<void>) => {
    const handled = work.catch(() => undefined).finally(() => handling.delete(handled));
    handling.add(handled);
  };

  return {
    take(message) {
      if (trigger.config.form !== "functiongraph") return run(one(message));
      const text = toMessageText(message.content);
      if (text.bytes <= MOST_BYTES) batching.add({ message, text });
      else run(settle([message], () => giveUp([message], TOO_LARGE)));
    },
    async stop() {
      await Promise.all([batching.stop(), ...handling]);
    },
  };
}
