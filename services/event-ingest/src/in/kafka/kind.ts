import { FnbusError, type Trigger, type TriggerOf } from "@fnbus/contract";
import type { OpenSource, SourceKind, SourceStatus } from "@fnbus/sources";
import { toBrokerFault } from "../../core/broker-faults.ts";
import { toEntry } from "../../core/kafka-records.ts";
import { createHealth } from "../broker/health.ts";
import { startRunning } from "../broker/running.ts";
import { findTarget } from "../broker/target.ts";
import type { BrokerDeps } from "../broker/types.ts";
import { toKafkaCall } from "./call.ts";
import type { Lane } from "./lane.ts";
import type { HeldBytes } from "./lane-buffer.ts";

const asKafka = (trigger: Trigger): TriggerOf<"kafka"> => trigger as TriggerOf<"kafka">;

/** Kafka: a consumer group a trigger, its partitions divided among the replicas, each record's offset kept by the ledger. */
export function createKafkaKind(deps: BrokerDeps): SourceKind {
  const held: HeldBytes = { count: 0 };

  function open(trigger: TriggerOf<"kafka">, status: SourceStatus): OpenSource {
    const lanes = new Map<string, Lane>();
    const health = createHealth(status);
    const context = { deps, trigger, status, health, held, onRoom: () => undefined };
    const session = { lanes, brokers: [] };
    const running = startRunning({
      // With the first trigger, and not before: the library is a third of what this service would load at its start.
      session: async (signal) => (await import("./session.ts")).runSession(context, session, signal),
      toFault: toBrokerFault,
      ...{ health, logger: deps.logger, triggerId: trigger.id },
    });
    return {
      ...running,
      details: () => ({
        partitions: [...lanes.values()].map(({ topic, partition, position, end }) => ({
          ...{ topic, partition, position, end },
          lag: Math.max(0, end - position),
        })),
      }),
    };
  }

  return {
    open: (trigger, status) => open(asKafka(trigger), status),
    sample(trigger, event) {
      const kafka = asKafka(trigger);
      const to = findTarget(deps.registry, kafka);
      if (!to) throw new FnbusError("function_not_found");
      const texts =
        event === undefined ? ["a first record", "a second record"] : Array.isArray(event) ? event : [event];
      const entries = texts.map((one, offset) =>
        toEntry(offset, Buffer.from(typeof one === "string" ? one : JSON.stringify(one))),
      );
      if (entries.some(({ poison }) => poison !== undefined)) throw new FnbusError("record_too_large");
      const topic = kafka.config.topics[0]!;
      return [toKafkaCall(kafka, to, { topic, topicId: topic, partition: 0 }, entries, Date.now())];
    },
  };
}
