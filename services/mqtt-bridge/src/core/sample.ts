import { FnbusError, type RegisteredFunction } from "@fnbus/contract";
import { parseFilters } from "@fnbus/sources";
import type { Message } from "./message.ts";
import type { MqttTrigger } from "./subscriptions.ts";

const PLACE = "sample";

/** A topic that a filter matches. */
const toTopic = (filter: string): string =>
  filter
    .split("/")
    .map((level) => (level === "+" || level === "#" ? PLACE : level))
    .join("/");

const SAMPLE: Omit<Message, "topic"> = {
  payload: Buffer.from('{"sample":true}'),
  retain: false,
  contentType: "application/json",
  properties: [],
  subscriptions: [],
};

/**
 * Messages to test a trigger with, likeliest first: of topics that its functions ask for, then of its own filters. Which of
 * them reach a function is for the caller to see.
 */
export function toSamples(trigger: MqttTrigger, functions: readonly RegisteredFunction[]): Message[] {
  const own = parseFilters(trigger.config.topics);
  const asked = trigger.function
    ? []
    : functions.flatMap(({ definition }) => parseFilters(definition.settings.options.topics ?? ""));
  return [...new Set([...asked, ...own].map(toTopic))].map((topic) => ({ topic, ...SAMPLE }));
}

type Json = Record<string, unknown>;
const isText = (value: unknown): value is string => typeof value === "string";

/**
 * A message as somebody describes it: { topic, payload, contentType, properties, retain }; only the topic is needed. A
 * payload that is no text is sent as JSON. Throws `event_malformed`.
 */
export function toMessage(event: unknown): Message {
  const wrong = (what: string) => new FnbusError("event_malformed", what);
  if (typeof event !== "object" || event === null || Array.isArray(event))
    throw wrong("a message is an object with topic and payload");
  const { topic, payload = "", contentType, properties = {}, retain = false } = event as Json;
  if (!isText(topic) || topic === "" || /[+#\0]/.test(topic)) throw wrong("topic is a text without + and #");
  if (contentType !== undefined && !isText(contentType)) throw wrong("contentType is a text");
  if (typeof properties !== "object" || properties === null || !Object.values(properties).every(isText))
    throw wrong("properties is an object of texts");
  return {
    topic,
    payload: Buffer.from(isText(payload) ? payload : JSON.stringify(payload)),
    retain: retain === true,
    ...(contentType !== undefined && { contentType }),
    properties: Object.entries(properties as Record<string, string>),
    subscriptions: [],
  };
}
