import { type HeaderList, headerOf, type RegisteredFunction, type Trigger } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";
import { toHeaders } from "./headers.ts";
import type { Message } from "./message.ts";

const JSON_TYPE = "application/json";
/** Version 00, lower-case hex, not all zero (W3C Trace Context). */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function isJson(payload: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

const withJsonType = (headers: HeaderList): HeaderList =>
  headerOf(headers, "content-type") === undefined ? [...headers, ["content-type", JSON_TYPE]] : headers;

/**
 * A message's calls, one a function. The payload is the body, the topic X-Topic. For a function of event style the payload
 * is its event where it is JSON (as it is: nothing is wrapped around it); else it gets the text, as with any request.
 */
export function toCalls(
  trigger: Trigger,
  targets: readonly RegisteredFunction[],
  message: Message,
): { calls: EventCall[]; dropped: number } {
  const { headers, dropped } = toHeaders(message);
  const traceparent = headerOf(headers, "traceparent");
  const trace = traceparent !== undefined && TRACEPARENT.test(traceparent) ? { traceparent } : {};
  let json: boolean | undefined;
  const calls = targets.map((to): EventCall => {
    const isEvent = to.definition.settings.style === "event";
    if (isEvent) json ??= isJson(message.payload);
    const kind = isEvent && json ? "event" : "http";
    return {
      ...{ to, trigger, kind, body: message.payload, ...trace },
      headers: kind === "event" ? withJsonType(headers) : headers,
    };
  });
  return { calls, dropped };
}
