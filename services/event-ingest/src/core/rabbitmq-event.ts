import { type MessageText, toMessagesField } from "./message-text.ts";

/** What the event says of its source. */
export interface RabbitmqEventHead {
  region: string;
  instanceId: string;
  exchange: string;
}

/** Room for everything but the messages. */
export const RABBITMQ_HEAD_BYTES = 4096;

/**
 * FunctionGraph's event of messages of one queue (wire-compatibility.md 5.6), UTF-8 JSON: unlike Kafka's, it names instance
 * and exchange inside the record. `nowMs` is shown in seconds.
 */
export function toRabbitmqEvent(head: RabbitmqEventHead, messages: readonly MessageText[], nowMs: number): Buffer {
  const facts = [
    `"event_version":"v1.0","event_time":${Math.floor(nowMs / 1000)},"trigger_type":"RABBITMQ"`,
    `"region":${JSON.stringify(head.region)}`,
    `"records":[{${toMessagesField(messages)},"instance_id":${JSON.stringify(head.instanceId)},"exchange":${JSON.stringify(head.exchange)}}]`,
  ];
  return Buffer.from(`{${facts.join(",")}}`);
}
