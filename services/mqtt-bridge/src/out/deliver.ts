import { setTimeout as pause } from "node:timers/promises";
import { FnbusError, limits, type RegisteredFunction } from "@fnbus/contract";
import type { EventCall, Publisher } from "@fnbus/publisher";
import type { RegistryIndex } from "@fnbus/registry";
import type { SourceStatus } from "@fnbus/sources";
import { toCalls } from "../core/calls.ts";
import type { Message } from "../core/message.ts";
import type { Routes } from "../core/routes.ts";
import type { MqttTrigger } from "../core/subscriptions.ts";

/** What became of messages beside those that were published, for a trigger's report. */
export interface Counts {
  /** No function asks for their topic. */
  unmatched: number;
  /** Kept by the broker, and the trigger does not want them. */
  retainedIgnored: number;
  /** Second copies by filters that overlap, and messages of filters that the trigger has no more. */
  copies: number;
  stale: number;
  /** User properties that could not be headers. */
  propertiesDropped: number;
}

/** Resolves when everything that the message invokes is durable, or its give-up is: only then is it acknowledged (I6). */
export type Deliver = (
  trigger: MqttTrigger,
  message: Message,
  to: { status: SourceStatus; counts: Counts; signal: AbortSignal },
) => Promise<void>;

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** Between looks whether a function that is missing is there: the registry's watch brings it within this. */
const MISSING_MS = 500;
/** Of a topic in a record. */
const TOPIC_LENGTH = 200;

export function createDeliver(publisher: Publisher, registry: RegistryIndex, routes: Routes): Deliver {
  /** The same call again until it is durable; a copy that was stored in doubt runs too (ARCHITECTURE.md 4). */
  async function send(call: EventCall, status: SourceStatus, signal: AbortSignal): Promise<void> {
    let to: RegisteredFunction | undefined = call.to;
    for (let pauseMs = FIRST_PAUSE_MS; to; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      signal.throwIfAborted();
      try {
        await publisher.send({ ...call, to });
        return status.published();
      } catch (error) {
        if (!(error instanceof FnbusError) || error.row.retry === "no") throw error;
        status.trouble(error.code, error.message);
      }
      await pause(pauseMs * (0.5 + Math.random()), undefined, { signal });
      // It may have been changed meanwhile, or be gone: then nothing is invoked.
      to = registry.functionById(call.to.definition.id);
    }
  }

  /** Waits for the trigger's own function: a message that came is kept until it is there. */
  async function functionsFor(trigger: MqttTrigger, topic: string, status: SourceStatus, signal: AbortSignal) {
    for (;;) {
      const found = routes.functionsFor(trigger, topic);
      if (found) return found;
      status.trouble("function_not_found", `the function ${trigger.function?.name} does not exist`);
      await pause(MISSING_MS, undefined, { signal });
    }
  }

  const giveUp = async (trigger: MqttTrigger, message: Message, error: FnbusError, status: SourceStatus) => {
    const { topic, payload } = message;
    status.trouble(error.code, error.message);
    await publisher.giveUp({
      ...{ trigger, what: `mqtt message on ${topic.slice(0, TOPIC_LENGTH)}`, reason: error.code },
      details: { topic: topic.slice(0, TOPIC_LENGTH), bytes: payload.length },
    });
    status.givenUp();
  };

  return async (trigger, message, { status, counts, signal }) => {
    const targets = await functionsFor(trigger, message.topic, status, signal);
    if (targets.length === 0) {
      counts.unmatched++;
      return;
    }
    if (message.payload.length > limits.requestBodyBytes)
      return giveUp(trigger, message, new FnbusError("record_too_large"), status);
    const { calls, dropped } = toCalls(trigger, targets, message);
    counts.propertiesDropped += dropped;
    const ends = await Promise.allSettled(calls.map((call) => send(call, status, signal)));
    for (const end of ends) {
      if (end.status === "fulfilled") continue;
      if (!(end.reason instanceof FnbusError)) throw end.reason;
      await giveUp(trigger, message, end.reason, status);
    }
  };
}
