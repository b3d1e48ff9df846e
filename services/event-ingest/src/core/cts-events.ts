import type { CtsConfig } from "@fnbus/contract";
import { checkCtsOperations, takesAudit } from "@fnbus/sources";
import { isObject, MAX_EVENTS, malformed, type Reading, textOf, toJsonPart, writeJson } from "./event-part.ts";

/**
 * Audit records as events `{"cts":{…}}` (wire-compatibility.md 5.5). Taken in that form, as the record alone, or as a list of
 * either. Throws `event_malformed`.
 */
export function readCts(config: CtsConfig, value: unknown): Reading {
  const list = Array.isArray(value) ? value : [value];
  if (list.length > MAX_EVENTS) throw malformed(`more than ${MAX_EVENTS} records`);
  const operations = checkCtsOperations(config.operations);
  const all = list.map((one: unknown) => {
    const cts = isObject(one) && "cts" in one ? one.cts : one;
    if (!isObject(cts)) throw malformed("an audit record is to be an object", "cts");
    const subject = {
      service: textOf(cts, "service_type", "cts."),
      resourceType: textOf(cts, "resource_type", "cts."),
      operation: textOf(cts, "trace_name", "cts."),
    };
    return { cts, subject, name: textOf(cts, "trace_id", "cts.") };
  });
  const taken = all.filter(({ subject }) => takesAudit(operations, subject));
  return {
    parts: taken.map(({ cts, name }) => toJsonPart(writeJson({ cts }), name)),
    filtered: all.length - taken.length,
  };
}
