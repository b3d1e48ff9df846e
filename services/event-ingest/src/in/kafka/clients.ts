import type { TriggerOf } from "@fnbus/contract";
import type { BrokerGuard } from "@fnbus/sources";
import { Consumer } from "@platformatic/kafka";
import { toTlsOptions } from "../broker/tls.ts";

/** A replica that is silent for this long loses its partitions to the others. */
const SESSION_MS = 30_000;
const REQUEST_MS = 15_000;
const CONNECT_MS = 5_000;

/** The trigger's consumer group. Its own name is made of the incarnation: a replay begins without the group's place. */
export const toGroupId = ({ incarnation, config }: TriggerOf<"kafka">): string =>
  config.groupId ?? `fnbus-${incarnation}`;

export interface KafkaClients {
  /** Joins the group and commits. */
  member: Consumer;
  /** Fetches, on connections of its own: a fetch that waits for records holds up what comes after it. */
  reader: Consumer;
  close(): Promise<void>;
}

/** Clients that try nothing again by themselves: whoever uses them says what went wrong, and does. */
export function createClients(trigger: TriggerOf<"kafka">, guard: BrokerGuard, sessionMs = SESSION_MS): KafkaClients {
  const { brokers, sasl, tls } = trigger.config;
  const options = {
    clientId: "fnbus",
    groupId: toGroupId(trigger),
    bootstrapBrokers: [...brokers],
    ...(tls && { tls: { ...toTlsOptions(tls), lookup: guard.lookup } }),
    ...(sasl && {
      sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password ?? "" },
    }),
    connectTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    autocreateTopics: false,
    sessionTimeout: sessionMs,
    rebalanceTimeout: Math.max(sessionMs, 10_000),
    heartbeatInterval: Math.min(3_000, Math.floor(sessionMs / 3)),
    retries: 0,
  };
  const member = new Consumer({ ...options, retries: 3, retryDelay: 200 });
  const reader = new Consumer(options);
  // A client's errors come with the answers to what is asked of it; an event that nobody hears would end the process.
  for (const client of [member, reader]) client.on("error", () => undefined);
  return {
    member,
    reader,
    async close() {
      await Promise.allSettled([member.close(true), reader.close(true)]);
    },
  };
}
