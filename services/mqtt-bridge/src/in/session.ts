import type { SourceStatus } from "@fnbus/sources";
import type { IConnackPacket, IPublishPacket, MqttClient } from "mqtt";
import type { Failure } from "../core/failures.ts";
import type { Message } from "../core/message.ts";
import { createJudge, type MqttTrigger, type Subscription, toSubscriptions } from "../core/subscriptions.ts";
import type { Counts, Deliver } from "../out/deliver.ts";
import { openConnection } from "./connection.ts";
import type { SocketOpener } from "./socket.ts";
import { type Granted, subscribe, unsubscribe } from "./subscribe.ts";

export type SessionState =
  | { is: "connecting" }
  | { is: "subscribed"; granted: Granted[]; refused: string[] }
  | { is: "failed"; failure: Failure };

export interface SessionContext {
  openSocket: SocketOpener;
  reconnectMs: number;
  deliver: Deliver;
  status: SourceStatus;
  counts: Counts;
  mayConnect(): boolean;
}

/** MQTT 5, 3.9.3: from here on an answer is the reason of a refusal. */
const REFUSED = 0x80;

/** One of a trigger's sessions at the broker: subscribed to its filters, handing over what comes. */
export interface Session {
  readonly state: SessionState;
  /** Filters, function and callback of the trigger as they are now; the connection stays. */
  change(trigger: MqttTrigger): void;
  stop(options: { forget: boolean }): Promise<void>;
}

export function toMessage({ topic, payload, retain, properties }: IPublishPacket): Message {
  const { contentType, userProperties = {}, subscriptionIdentifier = [] } = properties ?? {};
  return {
    topic,
    payload: typeof payload === "string" ? Buffer.from(payload) : payload,
    retain,
    ...(contentType !== undefined && { contentType }),
    properties: Object.entries(userProperties).flatMap(([name, values]) =>
      [values].flat().map((value) => [name, value] as const),
    ),
    subscriptions: [subscriptionIdentifier].flat(),
  };
}

/** Handles what comes by a session, whatever it subscribes to. */
export function createReceiver(
  context: Pick<SessionContext, "deliver" | "status" | "counts">,
  current: () => { trigger: MqttTrigger; judge: ReturnType<typeof createJudge>; isNew: boolean },
): (packet: IPublishPacket, signal: AbortSignal) => Promise<void> {
  const { deliver, status, counts } = context;
  return async (packet, signal) => {
    const { trigger, judge, isNew } = current();
    const message = toMessage(packet);
    status.received();
    const judgement = judge(message);
    if (judgement === "stale") counts.stale++;
    else if (judgement === "copy") counts.copies++;
    else if (message.retain && !wantsRetained(trigger, isNew)) counts.retainedIgnored++;
    else await deliver(trigger, message, { status, counts, signal });
  };
}

/** `first`: protocol 5 asks the broker for it; 3.1.1 sends kept messages at every subscribing. */
const wantsRetained = ({ config }: MqttTrigger, isNew: boolean): boolean =>
  config.retained === "always" || (config.retained === "first" && (config.protocolVersion !== 4 || isNew));

export function openSession(
  first: MqttTrigger,
  clientId: string,
  context: SessionContext,
  onState: () => void,
): Session {
  let trigger = first;
  let wanted = toSubscriptions(trigger);
  let judge = createJudge(wanted);
  let state: SessionState = { is: "connecting" };
  let isNew = true;
  /** Subscriptions that the session may still have, and is to lose. */
  const unwanted = new Set<string>();
  const answers = new Map<string, number>();
  let hasIdentifiers = true;

  const become = (next: SessionState) => {
    state = next;
    onState();
  };
  const tell = () => {
    const granted: Granted[] = [];
    const refused: string[] = [];
    for (const { filter, topic } of wanted) {
      const qos = answers.get(topic);
      if (qos === undefined) return;
      if (qos >= REFUSED) refused.push(filter);
      else granted.push({ filter, qos });
    }
    become({ is: "subscribed", granted, refused });
  };
  const settle = async (client: MqttClient, subscriptions: readonly Subscription[]) => {
    await unsubscribe(client, [...unwanted]);
    unwanted.clear();
    for (const [topic, qos] of await subscribe(client, subscriptions, hasIdentifiers)) answers.set(topic, qos);
    tell();
  };

  const connection = openConnection({
    ...{ config: trigger.config, clientId, openSocket: context.openSocket, reconnectMs: context.reconnectMs },
    mayConnect: context.mayConnect,
    onMessage: createReceiver(context, () => ({ trigger, judge, isNew })),
    onFailure: (failure) => become({ is: "failed", failure }),
    // At every connecting: rights may have changed, and an old session may know other filters.
    async onConnect(client: MqttClient, { sessionPresent, properties }: IConnackPacket) {
      isNew = !sessionPresent;
      hasIdentifiers = properties?.subscriptionIdentifiersAvailable !== false;
      answers.clear();
      await settle(client, wanted);
    },
  });

  return {
    get state() {
      return state;
    },
    change(next) {
      const before = new Map(wanted.map((subscription) => [subscription.topic, subscription]));
      trigger = next;
      wanted = toSubscriptions(next);
      judge = createJudge(wanted);
      const topics = new Set(wanted.map(({ topic }) => topic));
      for (const topic of before.keys()) if (!topics.has(topic)) unwanted.add(topic);
      for (const topic of topics) unwanted.delete(topic);
      const changed = wanted.filter(({ topic, qos, retainHandling }) => {
        const old = before.get(topic);
        return !old || old.qos !== qos || old.retainHandling !== retainHandling;
      });
      for (const { topic } of changed) answers.delete(topic);
      const { client } = connection;
      if (client && state.is === "subscribed") settle(client, changed).catch(() => client.stream.destroy());
    },
    stop: connection.stop,
  };
}
