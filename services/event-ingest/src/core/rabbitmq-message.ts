import {
  FnbusError,
  type HeaderList,
  limits,
  type RegisteredFunction,
  type Trigger,
  toFunctionHeaders,
} from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";

/** A message of a queue, as far as functions see it. */
export interface QueueMessage {
  routingKey: string;
  content: Uint8Array;
  contentType?: string | undefined;
  messageId?: string | undefined;
  /** As the sender set them; values of any kind. */
  headers: Readonly<Record<string, unknown>>;
}

/** What the platform says of a message: no header of it stands in for these. */
const own = new Set(["x-topic", "content-type"]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** One header as a function may see it: a token, neither hop-by-hop nor the platform's, of Latin characters. */
function toHeader(name: string, value: unknown): [string, string] | undefined {
  if (own.has(name.toLowerCase()) || !["string", "number", "boolean"].includes(typeof value)) return undefined;
  try {
    return toFunctionHeaders([name, String(value)])[0];
  } catch {
    return undefined;
  }
}

/** X-Topic (the routing key), the content type, and the message's own headers as far as they can be some and there is room. */
function toHeaders({ routingKey, contentType, headers }: QueueMessage): HeaderList {
  const list: HeaderList = [["x-topic", routingKey.replace(CONTROLS, encodeURIComponent)]];
  if (contentType) list.push(["content-type", contentType.replace(CONTROLS, "")]);
  let bytes = list.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  for (const [name, value] of Object.entries(headers)) {
    const header = toHeader(name, value);
    if (!header || list.length >= limits.headerCount) continue;
    bytes += header[0].length + header[1].length;
    if (bytes > limits.headerBytes) break;
    list.push(header);
  }
  return list;
}

function isJson(content: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

/**
 * A message's calls, one a function: the payload is the body. A function of event style gets it as its event where it is
 * JSON. A message with an id of its own names its invocation, so that a redelivery is the same one (LEDGER.md L9).
 */
export function toMessageCalls(
  trigger: Trigger,
  targets: readonly RegisteredFunction[],
  queue: string,
  message: QueueMessage,
): EventCall[] {
  const headers = toHeaders(message);
  const { content, messageId } = message;
  const name = messageId ? { name: `${queue}\n${messageId}` } : {};
  return targets.map((to): EventCall => {
    const kind = to.definition.settings.style === "event" && isJson(content) ? "event" : "http";
    return { to, trigger, kind, headers, body: content, ...name };
  });
}

/** Why a message can be in no invocation; undefined: it can. */
export const whyPoison = ({ content }: QueueMessage): string | undefined =>
  content.length > limits.requestBodyBytes ? `larger than ${limits.requestBodyBytes} bytes` : undefined;

/** A message as somebody describes it for a test: { topic, payload, contentType, headers }. Throws `event_malformed`. */
export function toQueueMessage(event: unknown, sampleKey: string): QueueMessage {
  if (event === undefined)
    return {
      routingKey: sampleKey,
      content: Buffer.from('{"sample":true}'),
      contentType: "application/json",
      headers: {},
    };
  if (typeof event !== "object" || event === null || Array.isArray(event))
    throw new FnbusError("event_malformed", "a message is an object with topic and payload");
  const { topic = sampleKey, payload = "", contentType, headers = {} } = event as Record<string, unknown>;
  if (typeof topic !== "string" || typeof headers !== "object" || headers === null)
    throw new FnbusError("event_malformed", "topic is a text, headers is an object");
  return {
    routingKey: topic,
    content: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
    ...(typeof contentType === "string" && { contentType }),
    headers: headers as Record<string, unknown>,
  };
}
