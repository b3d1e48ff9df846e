import type { RegisteredFunction, TriggerOf } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";
import { toKafkaEvent } from "../../core/kafka-event.ts";
import type { KafkaEntry } from "../../core/kafka-records.ts";
import { type PartitionId, toCounts } from "./partition.ts";

/** The invocation of one batch: FunctionGraph's event, with the offsets that it covers (L10). */
export function toKafkaCall(
  trigger: TriggerOf<"kafka">,
  to: RegisteredFunction,
  id: PartitionId,
  batch: readonly KafkaEntry[],
  nowMs: number,
): EventCall {
  const { region = "", instanceId = "" } = trigger.config;
  const texts = batch.map(({ text }) => text);
  return {
    to,
    trigger,
    kind: "event",
    headers: [["content-type", "application/json"]],
    body: toKafkaEvent({ region, instanceId, topic: id.topic }, texts, nowMs),
    position: { counts: toCounts(id), first: batch[0]!.offset, last: batch.at(-1)!.offset },
  };
}
