import { limits } from "@fnbus/contract";
import { isObject, malformed } from "./event-part.ts";

/** One event of CloudEvents 1.0, of whatever mode it came in. */
export interface CloudEvent {
  /** Known attributes and extensions, by name; `datacontenttype` among them. */
  attributes: ReadonlyMap<string, string | number | boolean>;
  data: EventData;
  /** Its JSON form as it was sent. */
  json?: Uint8Array;
}

export type EventData =
  | { form: "none" }
  | { form: "json"; value: unknown }
  | { form: "text"; text: string }
  | { form: "bytes"; bytes: Uint8Array };

const MAX_ATTRIBUTES = 64;
const MAX_NAME = 64;
const name = /^[a-z0-9]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: CloudEvents 3.3: a String holds none of them.
const control = /[\u0000-\u001f\u007f-\u009f]/;
const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(?:;.*)?$/;
const timestamp = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const MAX_INTEGER = 2 ** 31;

type Check = (value: string) => string | undefined;
const present: Check = (value) => (value === "" ? "is empty" : undefined);
/** Attributes of CloudEvents 1.0, section 3; those of extensions are free. */
const checks: Record<string, Check> = {
  specversion: (value) => (value === "1.0" ? undefined : "is to be 1.0"),
  id: present,
  source: present,
  type: present,
  subject: present,
  datacontenttype: (value) => (mediaType.test(value) ? undefined : "is no media type"),
  dataschema: (value) => (URL.canParse(value) ? undefined : "is no absolute URI"),
  time: (value) => (timestamp.test(value) && !Number.isNaN(Date.parse(value)) ? undefined : "is no RFC 3339 time"),
};
const required = ["specversion", "id", "source", "type"];

/** Attributes that stand as the specification wants. `given`: without data. Throws `event_malformed`, naming the attribute. */
export function toAttributes(given: Iterable<[string, unknown]>): Map<string, string | number | boolean> {
  const attributes = new Map<string, string | number | boolean>();
  let bytes = 0;
  for (const [key, value] of given) {
    // The JSON format takes null for absent.
    if (value === null) continue;
    if (!name.test(key) || key.length > MAX_NAME)
      throw malformed("names of attributes are 1 to 64 lower-case letters and digits");
    if (key === "data") throw malformed("data is no name of an attribute", key);
    const fault = faultOf(key, value);
    if (fault !== undefined) throw malformed(`${key} ${fault}`, key);
    attributes.set(key, value as string | number | boolean);
    bytes += key.length + toHeaderText(String(value)).length;
  }
  for (const key of required) if (!attributes.has(key)) throw malformed(`${key} is missing`, key);
  if (attributes.size > MAX_ATTRIBUTES || bytes > limits.headerBytes / 2)
    throw malformed(`more than ${MAX_ATTRIBUTES} attributes, or ${limits.headerBytes / 2} bytes of them`);
  return attributes;
}

function faultOf(key: string, value: unknown): string | undefined {
  if (typeof value === "string") {
    if (control.test(value) || !value.isWellFormed()) return "has characters that are not allowed";
    return Object.hasOwn(checks, key) ? checks[key]!(value) : undefined;
  }
  if (Object.hasOwn(checks, key)) return "is to be a text";
  if (typeof value === "boolean") return undefined;
  const isInteger = Number.isInteger(value) && (value as number) >= -MAX_INTEGER && (value as number) < MAX_INTEGER;
  return isInteger ? undefined : "is to be a text, a boolean or a 32-bit integer";
}

/** JSON and its kin (RFC 6839). No type is JSON too (CloudEvents' JSON format 3.1). */
export const isJsonType = (type: string | undefined): boolean =>
  type === undefined || /^[^;]+\/(?:[^;]+\+)?json\s*(?:;|$)/i.test(type);

export const isTextType = (type: string): boolean => /^(?:text\/|[^;]+[/+]xml\s*(?:;|$))/i.test(type);

/** As an attribute is written in a header (HTTP protocol binding 3.1.3.2): percent-encoded but for visible ASCII. */
export const toHeaderText = (text: string): string =>
  text.replaceAll(/[^\x21\x23\x24\x26-\x7e]+/gu, (part) =>
    Buffer.from(part, "utf8").toString("hex").toUpperCase().replaceAll(/../g, "%$&"),
  );

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The attribute that a header carries: quotes taken off, then percent-decoded once. undefined: no UTF-8. */
export function fromHeaderText(header: string): string | undefined {
  const text = /^".*"$/.test(header) ? header.slice(1, -1).replaceAll(/\\(.)/g, "$1") : header;
  const encoded = text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (part) =>
    Buffer.from(part.replaceAll("%", ""), "hex").toString("latin1"),
  );
  if (encoded === text) return text;
  try {
    return utf8.decode(Buffer.from(encoded, "latin1"));
  } catch {
    return undefined;
  }
}

/** Whether a filter takes a value: equal, or with * at its end, beginning so. No filters: all are taken. */
export const takes = (filters: readonly string[] | undefined, value: unknown): boolean =>
  filters === undefined ||
  filters.some((filter) => (filter.endsWith("*") ? String(value).startsWith(filter.slice(0, -1)) : filter === value));

/** The event that a JSON object is (CloudEvents' JSON format). Throws `event_malformed`. */
export function fromJson(value: unknown, json?: Uint8Array): CloudEvent {
  if (!isObject(value)) throw malformed("a structured event is to be a JSON object");
  const { data, data_base64: encoded, ...given } = value;
  const attributes = toAttributes(Object.entries(given));
  const type = attributes.get("datacontenttype") as string | undefined;
  const common = { attributes, ...(json && { json }) };
  if (encoded !== undefined && encoded !== null) {
    if (data !== undefined) throw malformed("data and data_base64 exclude each other", "data_base64");
    if (typeof encoded !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded))
      throw malformed("data_base64 is to be base64", "data_base64");
    return { ...common, data: { form: "bytes", bytes: Buffer.from(encoded, "base64") } };
  }
  if (data === undefined) return { ...common, data: { form: "none" } };
  if (!isJsonType(type) && typeof data === "string") return { ...common, data: { form: "text", text: data } };
  return { ...common, data: { form: "json", value: data } };
}
