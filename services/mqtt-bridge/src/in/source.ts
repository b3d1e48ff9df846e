import type { Trigger } from "@fnbus/contract";
import type { OpenSource, SourceStatus } from "@fnbus/sources";
import type { Failure } from "../core/failures.ts";
import {
  connectionsOf,
  keepsConnections,
  type MqttTrigger,
  modeOf,
  toClientId,
  toSessionNames,
} from "../core/subscriptions.ts";
import type { Counts } from "../out/deliver.ts";
import type { Drain } from "./drain.ts";
import type { Held, Holding } from "./holding.ts";
import { openSession, type Session, type SessionContext } from "./session.ts";

export interface SourceContext extends Pick<SessionContext, "openSocket" | "reconnectMs" | "deliver"> {
  holdingOf(trigger: MqttTrigger): Holding;
  drain: Drain;
  /** The definition as it stands in the registry; undefined: it was deleted. */
  definitionOf(id: string): Trigger | undefined;
  /** Whether the trigger names a function that is not there. */
  lacksFunction(trigger: MqttTrigger): boolean;
  onFunction(listener: () => void): () => void;
}

export interface MqttSource extends OpenSource {
  /** Takes what waits in the sessions of a slot that no replica has any more. false: a broker did not answer. */
  drain(slot: number, mayConnect: () => boolean): Promise<boolean>;
}

/** One MQTT trigger on this replica. */
export function openSource(first: MqttTrigger, status: SourceStatus, context: SourceContext): MqttSource {
  let trigger = first;
  let held: Held | undefined;
  let sessions: Session[] = [];
  /** Sessions that are being closed, because the right to them was lost. */
  let closing: Promise<unknown> = Promise.resolve();
  const counts: Counts = { unmatched: 0, retainedIgnored: 0, copies: 0, stale: 0, propertiesDropped: 0 };
  const target = { status, counts, mayConnect: () => true };

  /** Why it does not run. */
  function findFailure(): Failure | undefined {
    if (context.lacksFunction(trigger))
      return { code: "function_not_found", message: `the function ${trigger.function?.name} does not exist` };
    const states = sessions.map(({ state }) => state);
    const refused = new Set(states.flatMap((state) => (state.is === "subscribed" ? state.refused : [])));
    if (refused.size > 0)
      return {
        code: "subscription_refused",
        message: `the broker refuses the subscription to ${[...refused].join(", ")}`,
      };
    return states.find((state) => state.is === "failed")?.failure;
  }
  function tell(): void {
    const failure = findFailure();
    const isSubscribed = sessions.some(({ state }) => state.is === "subscribed" && state.refused.length === 0);
    // While one session stands, messages come: the broker gives it those of the others too.
    if (failure && isSubscribed && failure.code !== "function_not_found") {
      status.trouble(failure.code, failure.message);
      status.running();
    } else if (failure) status.failed(failure.code, failure.message);
    else if (isSubscribed) status.running();
    else status.pending();
  }

  const open = (now: Held) => {
    sessions = Array.from({ length: connectionsOf(trigger) }, (_, at) =>
      openSession(
        trigger,
        toClientId(trigger, now.slot, at),
        { ...context, status, counts, mayConnect: () => now.isSafe() },
        tell,
      ),
    );
    tell();
  };
  const close = (forget: boolean): Promise<unknown> => {
    const closed = Promise.all(sessions.map((session) => session.stop({ forget })));
    sessions = [];
    return closed;
  };
  const unfollow = context.holdingOf(trigger).follow((now) => {
    held = now;
    closing = Promise.all([closing, close(false)]);
    if (now) open(now);
    else status.pending();
  });
  const stopHearing = context.onFunction(() => {
    if (trigger.function) tell();
  });
  tell();

  return {
    change(next) {
      if (next.type !== "mqtt" || !keepsConnections(trigger, next)) return false;
      trigger = next;
      for (const session of sessions) session.change(next);
      tell();
      return true;
    },
    details: () => ({
      mode: modeOf(trigger),
      ...(held && { slot: held.slot }),
      connections: { open: sessions.filter(({ state }) => state.is === "subscribed").length, wanted: sessions.length },
      subscriptions: granted(sessions),
      ...((trigger.config.qos ?? 1) === 2 && { note: "QoS 2 is subscribed as 1: a death would lose messages" }),
      ...counts,
    }),
    async stop() {
      stopHearing();
      const next = context.definitionOf(trigger.id);
      const had = held;
      const open = sessions.length;
      await closing;
      await close(next === undefined);
      // What the new definition does not connect to again would gather messages until it expires.
      const again = next?.type === "mqtt" && had ? new Set(toSessionNames(next, had.slot)) : new Set();
      const left = had && next ? toSessionNames(trigger, had.slot).slice(0, open) : [];
      for (const [at, name] of left.entries())
        if (!again.has(name)) void context.drain(trigger, toClientId(trigger, had?.slot ?? 0, at), target);
      await unfollow();
    },
    async drain(slot, mayConnect) {
      if (modeOf(trigger) !== "shared") return true;
      const names = Array.from({ length: connectionsOf(trigger) }, (_, at) => toClientId(trigger, slot, at));
      const drained = await Promise.all(names.map((name) => context.drain(trigger, name, { ...target, mayConnect })));
      return drained.every(Boolean);
    },
  };
}

/** What stands at the broker, each filter with the least quality that a session got. */
function granted(sessions: readonly Session[]): { filter: string; qos: number }[] {
  const least = new Map<string, number>();
  for (const { state } of sessions) {
    if (state.is !== "subscribed") continue;
    for (const { filter, qos } of state.granted) least.set(filter, Math.min(qos, least.get(filter) ?? qos));
  }
  return [...least].map(([filter, qos]) => ({ filter, qos }));
}
