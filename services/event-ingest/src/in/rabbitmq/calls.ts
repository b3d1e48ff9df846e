import type { RegisteredFunction, TriggerOf } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";
import type { ConsumeMessage } from "amqplib";
import type { MessageText } from "../../core/message-text.ts";
import { toRabbitmqEvent } from "../../core/rabbitmq-event.ts";
import type { QueueMessage } from "../../core/rabbitmq-message.ts";

/** What the client library hands over, as the rules know it. Its bytes are those that were sent. */
export const toMessage = ({ content, fields, properties }: ConsumeMessage): QueueMessage => ({
  routingKey: fields.routingKey,
  content,
  contentType: properties.contentType,
  messageId: properties.messageId,
  headers: properties.headers ?? {},
});

/** The invocation of one batch: FunctionGraph's event. */
export function toBatchCall(
  trigger: TriggerOf<"rabbitmq">,
  to: RegisteredFunction,
  texts: readonly MessageText[],
  nowMs: number,
): EventCall {
  const { region = "", instanceId = "", exchange = "" } = trigger.config;
  return {
    to,
    trigger,
    kind: "event",
    headers: [["content-type", "application/json"]],
    body: toRabbitmqEvent({ region, instanceId, exchange }, texts, nowMs),
  };
}
