import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { TriggerOf } from "@fnbus/contract";
import { createTopicTable, parseFilters } from "@fnbus/sources";
import type { Message } from "./message.ts";

export type MqttTrigger = TriggerOf<"mqtt">;

/** One subscription as it is sent to the broker. */
export interface Subscription {
  /** As the trigger names it. */
  filter: string;
  /** As the broker is told: with the group in front where it is shared. */
  topic: string;
  qos: 0 | 1;
  /** Names it in messages (protocol 5), and stays the same whatever else the trigger subscribes to. */
  identifier: number;
  /** MQTT 5's retain handling: 0 sends kept messages at each subscribing, 1 at a new one, 2 never. */
  retainHandling: 0 | 1 | 2;
}

/**
 * `shared`: every replica subscribes, and the broker divides the messages. `exclusive`: one replica at a time does, by a
 * lease; needed where the broker cannot divide (3.1.1), where it is told not to, and for messages that the broker kept,
 * which shared subscriptions never get (MQTT 5, 4.8.2).
 */
export type Mode = "shared" | "exclusive";

export const modeOf = ({ config }: MqttTrigger): Mode =>
  config.protocolVersion === 4 || config.shared === false || (config.retained ?? "ignore") !== "ignore"
    ? "exclusive"
    : "shared";

/** Connections of a trigger that says nothing: more help where the broker is far, or is slow on one. */
const DEFAULT_CONNECTIONS = 1;
export const connectionsOf = (trigger: MqttTrigger): number =>
  modeOf(trigger) === "exclusive" ? 1 : (trigger.config.connections ?? DEFAULT_CONNECTIONS);

/** 28 bits: what a subscription identifier may be, but 0. */
const toIdentifier = (filter: string): number =>
  (createHash("sha256").update(filter).digest().readUInt32BE() % 268_435_455) + 1;

const RETAIN_HANDLING = { always: 0, first: 1, ignore: 2 } as const;

export function toSubscriptions(trigger: MqttTrigger): Subscription[] {
  const { topics, qos = 1, retained = "ignore" } = trigger.config;
  const prefix = modeOf(trigger) === "shared" ? `$share/fnbus-${trigger.id}/` : "";
  return parseFilters(topics).map((filter) => ({
    filter,
    topic: `${prefix}${filter}`,
    // A QoS 2 message is lost for ever when its receiver dies between receipt and release (RELIABILITY.md fact 10).
    qos: qos === 0 ? 0 : 1,
    identifier: toIdentifier(filter),
    retainHandling: RETAIN_HANDLING[retained],
  }));
}

/**
 * Names of a trigger's sessions at the broker, one a connection: unique among replicas by the slot that each holds, and the
 * same after a restart, so that the session is found again. The exclusive one's goes with the lease.
 */
export function toClientId(trigger: MqttTrigger, slot: number, connection: number): string {
  const base = trigger.config.clientId ?? `fnbus-${trigger.id.replaceAll("-", "")}`;
  return modeOf(trigger) === "exclusive" ? base : `${base}-${slot}-${connection}`;
}

const PORT = 1883;
const TLS_PORT = 8883;
export const portOf = ({ port, tls }: MqttTrigger["config"]): number => port ?? (tls ? TLS_PORT : PORT);

/** All sessions of a trigger on one replica, each with the broker that keeps it. */
export const toSessionNames = (trigger: MqttTrigger, slot: number): string[] =>
  Array.from(
    { length: connectionsOf(trigger) },
    (_, at) => `${trigger.config.host}:${portOf(trigger.config)} ${toClientId(trigger, slot, at)}`,
  );

/** Whether connections of one definition serve the other: only filters, function and callback differ. */
export function keepsConnections(before: MqttTrigger, now: MqttTrigger): boolean {
  const rest = (trigger: MqttTrigger) => {
    const { topics: _, qos: __, retained: ___, ...config } = trigger.config;
    return { ...config, mode: modeOf(trigger) };
  };
  return isDeepStrictEqual(rest(before), rest(now));
}

export type Judgement = "take" | "stale" | "copy";

/**
 * Whether a message is this trigger's to handle. `stale`: no filter of it matches, an old session still subscribes to more.
 * `copy`: filters overlap, and this is not the copy that the first of them brought.
 */
export function createJudge(subscriptions: readonly Subscription[]): (message: Message) => Judgement {
  const table = createTopicTable(subscriptions.map(({ filter }, at) => [filter, at] as const));
  const known = new Set(subscriptions.map(({ identifier }) => identifier));
  return ({ topic, subscriptions: brought }) => {
    const matching = table.match(topic);
    if (matching.length === 0) return "stale";
    const first = subscriptions[Math.min(...matching)]!;
    if (brought.length === 0 || brought.includes(first.identifier)) return "take";
    // An identifier that no filter of ours has is an old session's.
    return brought.some((identifier) => known.has(identifier)) ? "copy" : "stale";
  };
}
