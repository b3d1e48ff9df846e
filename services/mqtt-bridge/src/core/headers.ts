import { type HeaderList, limits, toFunctionHeaders } from "@fnbus/contract";
import type { Message } from "./message.ts";

/** What the platform says of a message: no property of it stands in for these. */
const own = new Set(["x-topic", "content-type"]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const CONTROLS = new RegExp(CONTROL.source, "g");

/** Whether a property's name may be a header that a function sees: a token, neither hop-by-hop nor the platform's. */
function isAllowed(name: string): boolean {
  if (own.has(name)) return false;
  try {
    return toFunctionHeaders([name, ""]).length > 0;
  } catch {
    return false;
  }
}

/**
 * Headers of a message's invocations: X-Topic (wire-compatibility.md 7.4), the content type, and MQTT 5's user properties as
 * far as they can be headers and there is room. `dropped`: how many could not.
 */
export function toHeaders(message: Message): { headers: HeaderList; dropped: number } {
  // MQTT lets control characters into topics; a header with one could be read as two.
  const topic = message.topic.replace(CONTROLS, encodeURIComponent);
  const headers: HeaderList = [["x-topic", topic]];
  if (message.contentType !== undefined && message.contentType !== "" && !CONTROL.test(message.contentType))
    headers.push(["content-type", message.contentType]);
  let bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  let dropped = 0;
  for (const [written, value] of message.properties) {
    const name = written.toLowerCase();
    const size = name.length + value.length;
    const hasRoom = headers.length < limits.headerCount && bytes + size <= limits.headerBytes;
    if (!hasRoom || !isAllowed(name) || CONTROL.test(value)) {
      dropped++;
      continue;
    }
    headers.push([name, value]);
    bytes += size;
  }
  return { headers, dropped };
}
