import type { TriggerOf } from "@fnbus/contract";
import type { BrokerGuard } from "@fnbus/sources";
import { type Broker, Consumer } from "@platformatic/kafka";
import { toBrokerFault } from "../../core/broker-faults.ts";
import { toTlsOptions } from "../broker/tls.ts";
import { checkBroker, passBrokers } from "./guarding.ts";

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
  /** What a client threw, with the TLS alert before it: whoever waits for an answer is told only that the connection is closed. */
  explain(error: unknown): unknown;
  close(): Promise<void>;
}

/** Clients that try nothing again by themselves: whoever uses them says what went wrong, and does. */
function createClients(
  trigger: TriggerOf<"kafka">,
  brokers: readonly Broker[],
  guard: BrokerGuard,
  sessionMs: number,
): KafkaClients {
  const { sasl, tls } = trigger.config;
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
  let alert: Error | undefined;
  for (const client of [member, reader]) {
    // A client's errors come with the answers to what is asked of it; an event that nobody hears would end the process.
    client.on("error", () => undefined);
    client.on("client:broker:connect", ({ connection }) => {
      alert = undefined;
      connection.on("error", (error) => {
        if (toBrokerFault(error).code === "source_tls_failed") alert = error;
      });
    });
  }
  return {
    ...{ member, reader },
    explain: (error) => (alert ? new AggregateError([error, alert], String(error)) : error),
    async close() {
      await Promise.allSettled([member.close(true), reader.close(true)]);
    },
  };
}

/** Clients that know all brokers which the cluster has: those that the trigger names may be the ones that die while it runs. */
export async function openClients(
  trigger: TriggerOf<"kafka">,
  seen: readonly Broker[],
  guard: BrokerGuard,
  sessionMs = SESSION_MS,
): Promise<{ clients: KafkaClients; found: readonly Broker[] }> {
  const known = await passBrokers(guard, trigger.config.brokers, seen);
  const clients = createClients(trigger, known, guard, sessionMs);
  try {
    const found = [...(await clients.reader.metadata({ topics: [] })).brokers.values()];
    const isKnown = ({ host, port }: Broker) => known.some((one) => one.host === host && one.port === port);
    const further = found.filter((broker) => !isKnown(broker));
    if (further.length === 0) return { clients, found };
    for (const { host } of further) await checkBroker(guard, host);
    void clients.close();
    return { clients: createClients(trigger, [...known, ...further], guard, sessionMs), found };
  } catch (error) {
    void clients.close();
    throw clients.explain(error);
  }
}
