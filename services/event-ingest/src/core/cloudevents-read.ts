import { type CloudEventsConfig, FnbusError, type HandlerStyle } from "@fnbus/contract";
import { type CloudEvent, fromHeaderText, fromJson, takes, toAttributes } from "./cloudevent.ts";
import { toEventPart, toRequestPart } from "./cloudevents-write.ts";
import { MAX_EVENTS, malformed, parseJson, type Reading } from "./event-part.ts";

/** What an HTTP request brings. `headers` as Node lists them: name, value, name, value. */
export interface Delivery {
  headers: readonly string[];
  body: Uint8Array;
}

const STRUCTURED = "application/cloudevents";
const BATCH = "application/cloudevents-batch";
const PREFIX = "ce-";

/**
 * The events of a request, in whichever of the three modes of CloudEvents' HTTP binding 1.0 it is, as the function's style
 * wants them. Throws `event_malformed`, `invalid_json`, `media_type_unsupported`, `record_too_large`.
 */
export function readCloudEvents(config: CloudEventsConfig, style: HandlerStyle, delivery: Delivery): Reading {
  return toReading(config, style, toEvents(delivery));
}

/** The same of events that are there already. */
export function toReading(config: CloudEventsConfig, style: HandlerStyle, events: readonly CloudEvent[]): Reading {
  const taken = events.filter(
    ({ attributes }) => takes(config.types, attributes.get("type")) && takes(config.sources, attributes.get("source")),
  );
  const parts = taken.map((event) => ({
    ...(style === "request" ? toRequestPart(event) : toEventPart(event)),
    // CloudEvents 3.1: source and id together name an event.
    name: JSON.stringify([event.attributes.get("source"), event.attributes.get("id")]),
    ...traceOf(event),
  }));
  return { parts, filtered: events.length - taken.length };
}

/** Of the distributed tracing extension. */
function traceOf({ attributes }: CloudEvent): { traceparent?: string } {
  const traceparent = attributes.get("traceparent");
  return typeof traceparent === "string" ? { traceparent } : {};
}

function toEvents(delivery: Delivery): CloudEvent[] {
  const type = headerOf(delivery, "content-type");
  const media = (type ?? "").replace(/;.*/s, "").trim().toLowerCase();
  if (media === `${BATCH}+json`) return toBatch(parseJson(delivery.body));
  if (media === `${STRUCTURED}+json`) return [fromJson(parseJson(delivery.body), delivery.body)];
  if (media.startsWith(STRUCTURED))
    throw new FnbusError("media_type_unsupported", "of the structured formats, only JSON is taken");
  return [fromHeaders(delivery, type)];
}

function toBatch(value: unknown): CloudEvent[] {
  if (!Array.isArray(value)) throw malformed("a batch is to be a JSON list");
  if (value.length > MAX_EVENTS) throw malformed(`more than ${MAX_EVENTS} events`);
  return value.map((one: unknown) => fromJson(one));
}

/** Binary mode: attributes are headers, the body is the data. */
function fromHeaders({ headers, body }: Delivery, type: string | undefined): CloudEvent {
  const given = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!.toLowerCase();
    if (!name.startsWith(PREFIX)) continue;
    const key = name.slice(PREFIX.length);
    if (given.has(key)) throw malformed(`${name} was sent more than once`, key);
    const value = fromHeaderText(headers[at + 1]!);
    if (value === undefined) throw malformed(`${name} is no UTF-8`, key);
    given.set(key, value);
  }
  if (given.size === 0)
    throw malformed("neither ce- headers (binary mode) nor a content type of application/cloudevents+json");
  // The content type is the binary mode's datacontenttype.
  given.delete("datacontenttype");
  if (type !== undefined) given.set("datacontenttype", type);
  const attributes = toAttributes(given);
  return { attributes, data: body.length === 0 ? { form: "none" } : { form: "bytes", bytes: body } };
}

function headerOf({ headers }: Delivery, name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) if (headers[at]!.toLowerCase() === name) return headers[at + 1];
  return undefined;
}
