import Type, { type Static } from "typebox";
import { NAME_PATTERN } from "./ids.ts";
import { limits } from "./limits.ts";
import { secretFields, type TriggerConfigs } from "./trigger-configs.ts";

/** Triggers: what asks for functions by itself. One model for every dialect and every type. */

export const triggerTypes = ["cron", "timer", "mqtt", "rabbitmq", "kafka", "obs", "lts", "cts", "cloudevents"] as const;
export type TriggerType = (typeof triggerTypes)[number];
export const TriggerType = Type.Unsafe<TriggerType>(Type.Union(triggerTypes.map((type) => Type.Literal(type))));

/** Which service runs which types. */
export const sourceServices = {
  scheduler: ["cron", "timer"],
  "mqtt-bridge": ["mqtt"],
  "event-ingest": ["rabbitmq", "kafka", "obs", "lts", "cts", "cloudevents"],
} as const satisfies Record<string, readonly TriggerType[]>;
export type SourceService = keyof typeof sourceServices;

export const serviceOfType = (type: TriggerType): SourceService =>
  (Object.keys(sourceServices) as SourceService[]).find((name) =>
    (sourceServices[name] as readonly TriggerType[]).includes(type),
  )!;

/** The name of a space's only cron trigger (SmartWorks), which no other may have. */
export const CRON_TRIGGER_NAME = "cron";

interface TriggerBase {
  /** UUIDv7; SmartWorks' API shows it as a ULID. */
  id: string;
  /** Made with the trigger, and anew by "replay from": positions and names of events belong to it (LEDGER.md L9, L10). */
  incarnation: string;
  space: string;
  /** Unique in its space, a NAME_PATTERN. */
  name: string;
  description: string;
  /** Absent: every function of the space that asks for it by its own options (cron, mqtt, rabbitmq only). */
  function?: { name: string; qualifier: string };
  /** false: paused. Kafka and RabbitMQ keep their place, a schedule makes up for what its catch-up policy says. */
  enabled: boolean;
  /** Each invocation's result is delivered there. */
  callbackUrl?: string;
  /** What a dialect must say again as it was told. Not read by the sources. */
  dialect?: Record<string, string>;
  createdAt: number;
  updatedAt: number;
}

/** A trigger of type T: its config has that type's form. */
export type TriggerOf<T extends TriggerType> = TriggerBase & { type: T; config: TriggerConfigs[T] };
export type Trigger = { [T in TriggerType]: TriggerOf<T> }[TriggerType];

/** As the registry holds it: with the revision of its key. */
export interface RegisteredTrigger {
  trigger: Trigger;
  revision: number;
}

/** Types whose trigger may go without a function of its own. */
export const spaceWideTypes: readonly TriggerType[] = ["cron", "mqtt", "rabbitmq"];

/** Fields that every type has, as they may be told on creation; `config` is checked by its type's own schema. */
export const TriggerSettings = Type.Object(
  {
    name: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
    description: Type.Optional(Type.String({ maxLength: 512 })),
    type: TriggerType,
    function: Type.Optional(
      Type.Object(
        {
          name: Type.String({ pattern: NAME_PATTERN }),
          qualifier: Type.Optional(Type.String({ maxLength: 64 })),
        },
        { additionalProperties: false },
      ),
    ),
    enabled: Type.Optional(Type.Boolean()),
    callbackUrl: Type.Optional(Type.String({ maxLength: limits.callbackUrlBytes })),
    config: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: "TriggerSettings", additionalProperties: false },
);
export type TriggerSettings = Static<typeof TriggerSettings>;

type Json = Record<string, unknown>;

/** Visits the parent object of every secret field that is there. */
function eachSecret(config: Json, type: TriggerType, visit: (parent: Json, field: string) => void): void {
  for (const path of secretFields[type]) {
    let parent: Json | undefined = config;
    for (const name of path.slice(0, -1)) parent = parent?.[name] as Json | undefined;
    const field = path.at(-1)!;
    if (parent && parent[field] !== undefined) visit(parent, field);
  }
}

/** The trigger as anybody may see it: secrets are left out, and named in `secrets` as paths with dots. */
export function withoutSecrets(trigger: Trigger): Trigger & { secrets: string[] } {
  const config = structuredClone(trigger.config) as Json;
  const secrets = secretFields[trigger.type].map((path) => path.join("."));
  const set = secrets.filter((path) => path.split(".").reduce<unknown>((at, name) => (at as Json)?.[name], config));
  eachSecret(config, trigger.type, (parent, field) => delete parent[field]);
  return { ...trigger, config, secrets: set } as Trigger & { secrets: string[] };
}

/** A changed config in which a secret that was not told again stays as it was. */
export function keepSecrets(type: TriggerType, before: object, now: object): object {
  const merged = structuredClone(now) as Json;
  for (const path of secretFields[type]) {
    const field = path.at(-1)!;
    const at = (config: object) =>
      path.slice(0, -1).reduce<unknown>((one, name) => (one as Json)?.[name], config) as Json | undefined;
    const target = at(merged);
    const old = at(before)?.[field];
    if (target && target[field] === undefined && old !== undefined) target[field] = old;
  }
  return merged;
}
