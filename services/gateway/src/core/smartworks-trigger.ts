import {
  FnbusError,
  fromUlid,
  isId,
  type Trigger,
  type TriggerSettings,
  type TriggerStatus,
  type TriggerType,
  toUlid,
  withoutSecrets,
} from "@fnbus/contract";
import type { TriggerChange } from "./trigger-change.ts";

/** SmartWorks' trigger (wire-compatibility.md 7.2, 7.4) as it is sent. Fields that we do not know are not refused. */
export interface SmartworksTrigger {
  name?: string;
  description?: string;
  type?: string;
  config?: Record<string, unknown>;
  callback_url?: string | null;
}

/** The fields of each type's config that SmartWorks has. What else a trigger has is not shown, and kept. */
const fields = {
  cron: [],
  mqtt: ["host", "port", "topics", "username", "password", "qos"],
  rabbitmq: ["host", "port", "username", "password", "exchange", "queue", "topics"],
} as const satisfies Partial<Record<TriggerType, readonly string[]>>;
type SmartworksType = keyof typeof fields;

const defaultPorts: Partial<Record<TriggerType, number>> = { mqtt: 1883, rabbitmq: 5672 };
const numbers: readonly string[] = ["port", "qos"];

export const isSmartworksType = (type: string): type is SmartworksType => Object.hasOwn(fields, type);

/** Throws `trigger_config_invalid` for a type that SmartWorks does not have. */
export function toSmartworksSettings(sent: SmartworksTrigger): TriggerSettings {
  const { name, description, type = "", config = {}, callback_url: callbackUrl } = sent;
  if (!isSmartworksType(type))
    throw new FnbusError("trigger_config_invalid", `type takes ${Object.keys(fields).join(", ")}`, {
      details: { field: "type" },
    });
  return {
    type,
    config: toConfig(type, config),
    ...(name !== undefined && type !== "cron" && { name }),
    ...(description !== undefined && { description }),
    ...(callbackUrl && { callbackUrl }),
  };
}

/** Fields that are not sent stay as they are, a password too. An empty callback_url takes it away. */
export function toSmartworksChange(trigger: Trigger, sent: SmartworksTrigger): TriggerChange {
  const { description, type, config, callback_url: callbackUrl } = sent;
  if (type !== undefined && type !== trigger.type) throw new FnbusError("trigger_type_fixed");
  return {
    ...(description !== undefined && { description }),
    ...(callbackUrl !== undefined && { callbackUrl: callbackUrl || null }),
    ...(config && { config: toChangedConfig(trigger.type as SmartworksType, config) }),
  };
}

/** A host that names its port says which of the two holds, whatever was told before. */
function toChangedConfig(type: SmartworksType, sent: Record<string, unknown>): Record<string, unknown> {
  const config = toConfig(type, sent);
  return typeof config.host === "string" && /[^:]:\d+$/.test(config.host) && config.port === undefined
    ? { ...config, port: null }
    : config;
}

/** What SmartWorks knows of; numbers that are sent as texts are read; empty texts are what a form leaves empty. */
function toConfig(type: SmartworksType, sent: Record<string, unknown>): Record<string, unknown> {
  const known: Record<string, unknown> = {};
  for (const field of fields[type]) {
    const value = sent[field];
    if (value === undefined || value === null || value === "") continue;
    known[field] =
      numbers.includes(field) && typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  }
  return known;
}

/** The trigger as SmartWorks shows it: never with a password; a paused one is Pending. */
export function toSmartworksTrigger(trigger: Trigger, status?: TriggerStatus) {
  const type = trigger.type as SmartworksType;
  const config = withoutSecrets(trigger).config as Record<string, unknown>;
  const port = defaultPorts[type];
  const state = status?.state ?? "Pending";
  return {
    id: toUlid(trigger.id),
    name: trigger.name,
    description: trigger.description,
    type,
    config: {
      ...(port !== undefined && { port }),
      ...Object.fromEntries(
        fields[type].flatMap((field) => (config[field] === undefined ? [] : [[field, config[field]]])),
      ),
    },
    status: state === "Paused" ? "Pending" : state,
    error_message: state === "Running" || state === "Paused" ? "" : (status?.error?.message ?? ""),
    callback_url: trigger.callbackUrl ?? "",
    created_at: toTime(trigger.createdAt),
    updated_at: toTime(trigger.updatedAt),
  };
}

/** "2020-11-06T11:04:51": SmartWorks' times have no zone. */
const toTime = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

/** The id that a path's text names, a ULID or our own form. undefined: it may be a name. */
export const toTriggerId = (text: string): string | undefined =>
  fromUlid(text) ?? (isId(text.toLowerCase()) ? text.toLowerCase() : undefined);
