import { type MessageText, toMessagesField } from "./message-text.ts";

/** What the event says of its source. */
export interface KafkaEventHead {
  region: string;
  instanceId: string;
  topic: string;
}

/** Room for everything but the messages. */
export const KAFKA_HEAD_BYTES = 4096;

/** FunctionGraph's event of records of one topic (wire-compatibility.md 5.6), UTF-8 JSON. `nowMs` is shown in seconds. */
export function toKafkaEvent(head: KafkaEventHead, messages: readonly MessageText[], nowMs: number): Buffer {
  const facts = [
    `"event_version":"v1.0","event_time":${Math.floor(nowMs / 1000)},"trigger_type":"KAFKA"`,
    `"region":${JSON.stringify(head.region)},"instance_id":${JSON.stringify(head.instanceId)}`,
    `"records":[{${toMessagesField(messages)},"topic_id":${JSON.stringify(head.topic)}}]`,
  ];
  return Buffer.from(`{${facts.join(",")}}`);
}
