import type { TestedInvocation } from "@fnbus/contract";
import { type EventCall, toEnvelope } from "@fnbus/publisher";

const utf8 = new TextDecoder("utf-8", { fatal: true });

function toText(body: Uint8Array): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    return undefined;
  }
}

/** What a test made, or would make, for a person to read. */
export function toTested(call: EventCall, id: string): TestedInvocation {
  const { meta, body } = toEnvelope(call, 0).envelope;
  const text = toText(body);
  return {
    ...{ id, function: meta.function, kind: meta.kind, source: meta.source, headers: meta.headers, path: meta.path },
    body: Buffer.from(body).toString("base64"),
    ...(text !== undefined && { text }),
  };
}
