import { isIP } from "node:net";
import { FnbusError, type TriggerType, triggerConfigs } from "@fnbus/contract";
import Value from "typebox/value";

/** What a config gets wrong: the field as a path with dots, from "config" on. */
export const wrongConfig = (field: string, message: string): FnbusError =>
  new FnbusError("trigger_config_invalid", `${field} ${message}`, { details: { field } });

/** Says of a check's error which field it is about. */
export function within<T>(field: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof FnbusError)) throw error;
    throw new FnbusError(error.code, error.message, { details: { ...error.details, field } });
  }
}

/** A config against its type's schema. Throws `trigger_config_invalid`; what stands in a field is never repeated. */
export function checkSchema(type: TriggerType, config: object): void {
  if (Value.Check(triggerConfigs[type], config)) return;
  const faults = [...Value.Errors(triggerConfigs[type], config)] as unknown as Fault[];
  const [first] = faults;
  if (!first) return;
  const at = toField(first.instancePath);
  const { requiredProperties, additionalProperties } =
    faults.find(({ keyword }) => keyword === "additionalProperties" || keyword === "required")?.params ?? {};
  if (first.keyword === "required") throw wrongConfig(`${at}.${requiredProperties![0]}`, "is missing");
  if (first.keyword === "boolean")
    throw wrongConfig(at, `is no field of ${additionalProperties ? "this type's config" : "it"}`);
  const literals = faults.flatMap(({ keyword, instancePath, params }) =>
    keyword === "const" && instancePath === first.instancePath ? [String(params.allowedValue)] : [],
  );
  throw wrongConfig(at, literals.length > 0 ? `must be one of ${literals.join(", ")}` : first.message);
}

interface Fault {
  keyword: string;
  instancePath: string;
  params: { requiredProperties?: string[]; additionalProperties?: string[]; allowedValue?: unknown };
  message: string;
}

const toField = (path: string): string =>
  `config${path.replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~")}`;

const HOST = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?$/;

/**
 * A broker's address as people write it: "host", "host:port" (SmartWorks' own example), "[::1]:1883".
 * Throws `broker_address_invalid`.
 */
export function splitAddress(text: string, field: string): { host: string; port?: number } {
  const refuse = (why: string) => new FnbusError("broker_address_invalid", `${field} ${why}`, { details: { field } });
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw refuse("has a scheme: write host and port only");
  if (isIP(text) === 6) return { host: text };
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2] ?? "";
  if (!match || (match[1] === undefined ? !HOST.test(host) : isIP(host) !== 6))
    throw refuse("is no host name or address");
  if (match[3] === undefined) return { host };
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) throw refuse("has a port that is none");
  return { host, port };
}
