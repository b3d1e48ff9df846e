import { FnbusError, type FunctionSettings, type RegisteredFunction, toUlid } from "@fnbus/contract";
import type { Entrypoint } from "./handler.ts";
import type { SettingsInput } from "./settings.ts";

/** SmartWorks' function (wire-compatibility.md 7.2) as it is sent. */
export interface SmartworksInput {
  name?: string;
  description?: string;
  template?: string;
  env?: Record<string, string>;
  options?: { topics?: string; schedule?: string };
  source?: { code?: string };
}

/** Templates that run here, and the file that plain code becomes. */
const templates: Record<string, Entrypoint & { file: string }> = {
  "python3-http": { runtime: "python", style: "request", handler: "handler.handle", file: "handler.py" },
  "node-http": { runtime: "nodejs", style: "request", handler: "index.handle", file: "index.js" },
};

/** Throws `runtime_unknown`. */
export function toTemplate(name: string): Entrypoint & { file: string } {
  const template = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (template) return template;
  throw new FnbusError("runtime_unknown", `the template ${JSON.stringify(name)} does not run here`, {
    details: { templates: Object.keys(templates) },
  });
}

/** The template that describes a function best: functions made by our own API have one too. */
export function templateOf({ runtime, style }: FunctionSettings): string {
  const suffix = style === "request" ? "-http" : "";
  return runtime === "python" ? `python3${suffix}` : `node${suffix}`;
}

export function toSettingsInput(input: SmartworksInput, template?: Entrypoint): SettingsInput {
  return {
    ...(template ? { runtime: template.runtime, style: template.style, handler: template.handler } : {}),
    ...(input.description === undefined ? {} : { description: input.description }),
    ...(input.env === undefined ? {} : { environment: input.env }),
    ...(input.options === undefined ? {} : { options: input.options }),
  };
}

export interface FunctionMetrics {
  invocations: number;
  replicas: number;
  available_replicas: number;
}

/** "2020-11-06T11:04:51": SmartWorks' times have no zone. */
const toTime = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

/** The function as SmartWorks shows it. `code`: base64, where it was read. */
export function toSmartworksFunction({ definition }: RegisteredFunction, metrics: FunctionMetrics, code?: string) {
  const { settings } = definition;
  return {
    id: toUlid(definition.id),
    space: definition.space,
    name: definition.name,
    description: settings.description,
    template: templateOf(settings),
    env: settings.environment,
    options: { topics: settings.options.topics ?? "", schedule: settings.options.schedule ?? "" },
    source: { code: code ?? "" },
    status: definition.status,
    metrics,
    created_at: toTime(definition.createdAt),
    updated_at: toTime(definition.updatedAt),
  };
}
