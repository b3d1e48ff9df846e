import type { HeaderList } from "@fnbus/contract";
import { type CloudEvent, isJsonType, isTextType, toHeaderText } from "./cloudevent.ts";
import { checkSize, type EventPart, parseJson, toJsonPart, writeJson } from "./event-part.ts";

/** For a request handler: binary mode, the data as body and the attributes as headers (HTTP protocol binding 3.1). */
export function toRequestPart({ attributes, data }: CloudEvent): EventPart {
  const headers: HeaderList = [];
  for (const [name, value] of attributes)
    if (name !== "datacontenttype") headers.push([`ce-${name}`, toHeaderText(String(value))]);
  const type = attributes.get("datacontenttype") ?? (data.form === "json" ? "application/json" : undefined);
  if (type !== undefined) headers.push(["content-type", String(type)]);
  return { kind: "http", headers, body: checkSize(toBytes(data)) };
}

function toBytes(data: CloudEvent["data"]): Uint8Array {
  switch (data.form) {
    case "none":
      return new Uint8Array(0);
    case "json":
      return writeJson(data.value);
    case "text":
      return Buffer.from(data.text, "utf8");
    case "bytes":
      return data.bytes;
  }
}

/** For an event handler: the event in its JSON form, byte for byte where it came so. */
export function toEventPart({ attributes, data, json }: CloudEvent): EventPart {
  if (json) return toJsonPart(json);
  return toJsonPart(
    writeJson({ ...Object.fromEntries(attributes), ...toMembers(data, attributes.get("datacontenttype")) }),
  );
}

/** Bytes of a type that says JSON or text are what it says; all others are base64. */
function toMembers(data: CloudEvent["data"], type: unknown): Record<string, unknown> {
  switch (data.form) {
    case "none":
      return {};
    case "json":
      return { data: data.value };
    case "text":
      return { data: data.text };
    case "bytes":
      if (isJsonType(type as string | undefined)) return { data: parseJson(data.bytes) };
      return (
        (isTextType(String(type)) && textOf(data.bytes)) || { data_base64: Buffer.from(data.bytes).toString("base64") }
      );
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function textOf(bytes: Uint8Array): { data: string } | undefined {
  try {
    return { data: utf8.decode(bytes) };
  } catch {
    return undefined;
  }
}
