import {
  FnbusError,
  keepSecrets,
  secretFields,
  type Trigger,
  type TriggerSettings,
  type TriggerType,
} from "@fnbus/contract";
import { checkTrigger } from "@fnbus/sources";

type Json = Record<string, unknown>;

/** What of a trigger may be changed. null takes away what is optional. */
export interface TriggerChange {
  description?: string;
  function?: { name: string; qualifier?: string } | null;
  enabled?: boolean;
  callbackUrl?: string | null;
  config?: Json;
}

/** Where secrets are sent to: whoever changes that must know them. */
const addressFields: Partial<Record<TriggerType, readonly string[]>> = {
  mqtt: ["host", "port"],
  rabbitmq: ["host", "port"],
  kafka: ["brokers"],
};

const toFunctionRef = ({ name, qualifier = "latest" }: { name: string; qualifier?: string }) => {
  if (qualifier === "latest") return { name, qualifier };
  throw new FnbusError("trigger_config_invalid", "function.qualifier takes latest only", {
    details: { field: "function.qualifier" },
  });
};

export interface NewTriggerFacts {
  id: string;
  incarnation: string;
  space: string;
  name: string;
}

/** A new trigger. Throws what `checkTrigger` throws. */
export function toTrigger(facts: NewTriggerFacts, settings: TriggerSettings, nowMs: number): Trigger {
  const { type, callbackUrl, description = "", enabled = true } = settings;
  checkDepth(settings.config);
  const config = checkTrigger({ ...settings, config: withoutNulls(settings.config) });
  return {
    ...{ ...facts, type, config, description, enabled, createdAt: nowMs, updatedAt: nowMs },
    ...(settings.function && { function: toFunctionRef(settings.function) }),
    ...(callbackUrl !== undefined && { callbackUrl }),
  } as Trigger;
}

/**
 * The trigger after a change. `replace`: the change is all that it shall be (PUT), but a secret that is not told again
 * stays; else the config is merged as RFC 7396 says. Throws what `checkTrigger` throws, and `trigger_secret_missing`.
 */
export function changeTrigger(before: Trigger, change: TriggerChange, replace: boolean, nowMs: number): Trigger {
  const base: Trigger = replace ? withoutOptional(before) : before;
  const sent = change.config ?? (replace ? {} : undefined);
  if (sent) checkDepth(sent);
  const merged = sent === undefined ? before.config : mergeConfig(before, sent, replace);
  const to = change.function === undefined ? base.function : (change.function ?? undefined);
  const config = checkTrigger({ type: before.type, config: merged, ...(to && { function: to }) });
  if (sent !== undefined) checkSecrets(before, config as Json, sent);
  const { function: _to, callbackUrl: known, ...rest } = base;
  const callbackUrl = change.callbackUrl === undefined ? known : (change.callbackUrl ?? undefined);
  const isPauseOnly = Object.keys(change).every((field) => field === "enabled") && !replace;
  return {
    ...rest,
    config,
    description: change.description ?? rest.description,
    enabled: change.enabled ?? rest.enabled,
    ...(to && { function: toFunctionRef(to) }),
    ...(callbackUrl !== undefined && { callbackUrl }),
    // A schedule makes up for no tick before its definition; a pause does not change that.
    updatedAt: isPauseOnly ? before.updatedAt : nowMs,
  } as Trigger;
}

const withoutOptional = ({ function: _to, callbackUrl: _url, ...rest }: Trigger): Trigger =>
  ({ ...rest, description: "", enabled: true }) as Trigger;

function mergeConfig(before: Trigger, sent: Json, replace: boolean): Json {
  if (!replace) return mergePatch(before.config as Json, sent);
  return withoutNulls(keepSecrets(before.type, before.config, sent) as Json);
}

/** A secret goes only to the address that it was told for: else whoever may change a trigger could have it sent to himself. */
function checkSecrets({ type, config: before }: Trigger, now: Json, sent: Json): void {
  const isSame = (field: string) => JSON.stringify((before as Json)[field]) === JSON.stringify(now[field]);
  if ((addressFields[type] ?? []).every(isSame)) return;
  const at = (config: Json, path: readonly string[]) =>
    path.reduce<unknown>((one, name) => (one as Json | undefined)?.[name], config);
  const untold = secretFields[type].filter((path) => at(now, path) !== undefined && at(sent, path) === undefined);
  if (untold.length > 0)
    throw new FnbusError("trigger_secret_missing", undefined, {
      details: { fields: untold.map((path) => `config.${path.join(".")}`) },
    });
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** No type's config is deeper. Whoever sends thousands of levels would exhaust the stack of what copies them. */
const MAX_DEPTH = 4;

function checkDepth(config: Json): void {
  const isDeeper = (value: unknown, depth: number): boolean =>
    typeof value === "object" &&
    value !== null &&
    (depth === 0 || Object.values(value).some((one) => isDeeper(one, depth - 1)));
  if (isDeeper(config, MAX_DEPTH))
    throw new FnbusError("trigger_config_invalid", "config is nested too deeply", { details: { field: "config" } });
}

/** RFC 7396. */
function mergePatch(target: Json, patch: Json): Json {
  const merged: Json = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = isObject(value) ? mergePatch(isObject(merged[name]) ? merged[name] : {}, value) : value;
  }
  return merged;
}

const withoutNulls = (config: Json): Json => mergePatch({}, config);
