import { NAME_PATTERN, TriggerSettings, type TriggerState, TriggerType } from "@fnbus/contract";
import Type from "typebox";

/** Schemas of the triggers' routes. What a caller sends refuses unknown fields; what we answer may grow. */
const strict = { additionalProperties: false } as const;
const { type: _type, name: _name, function: to, callbackUrl, config, ...settings } = TriggerSettings.properties;
const orNull = <T extends Type.TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

export const TriggerChange = Type.Object(
  {
    ...settings,
    /** May be sent along; must be what they are. */
    name: TriggerSettings.properties.name,
    type: Type.Optional(TriggerType),
    function: orNull(to),
    callbackUrl: orNull(callbackUrl),
    config: Type.Optional(config),
  },
  strict,
);

const states: readonly TriggerState[] = ["Pending", "Running", "Failed", "Paused"];
const State = Type.Unsafe<TriggerState>(Type.Union(states.map((state) => Type.Literal(state))));
const Trouble = Type.Object({ code: Type.String(), message: Type.String(), at: Type.Optional(Type.Number()) });
const Counts = { received: Type.Integer(), published: Type.Integer(), givenUp: Type.Integer() };
const Replica = Type.Object({
  ...{ service: Type.String(), instance: Type.String(), state: State, since: Type.Number(), ...Counts },
  error: Type.Optional(Trouble),
  lastEventAt: Type.Optional(Type.Number()),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});
const Status = Type.Object({
  state: State,
  since: Type.Optional(Type.Number()),
  error: Type.Optional(Trouble),
  ...Counts,
  lastEventAt: Type.Optional(Type.Number()),
  replicas: Type.Array(Replica),
});

export const TriggerView = Type.Object(
  {
    ...{ id: Type.String(), incarnation: Type.String(), space: Type.String(), name: Type.String() },
    ...{ description: Type.String(), type: TriggerType, enabled: Type.Boolean() },
    function: Type.Optional(Type.Object({ name: Type.String(), qualifier: Type.String() })),
    callbackUrl: Type.Optional(Type.String()),
    config: Type.Record(Type.String(), Type.Unknown(), { description: "Without its secrets" }),
    secrets: Type.Array(Type.String(), { description: "Secrets of the config that are set" }),
    ...{ createdAt: Type.Number(), updatedAt: Type.Number(), revision: Type.Integer() },
    status: Type.Optional(Status),
  },
  { $id: "Trigger" },
);

export const TriggerFilter = Type.Object({
  type: Type.Optional(TriggerType),
  function: Type.Optional(Type.String({ pattern: NAME_PATTERN })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  cursor: Type.Optional(Type.String({ maxLength: 256 })),
});

export const TriggerTest = Type.Object(
  {
    dryRun: Type.Optional(Type.Boolean({ description: "Show what would be invoked, and invoke nothing" })),
    event: Type.Optional(Type.Unknown({ description: "As the source would send it; a sample where it is missing" })),
  },
  strict,
);
export const TestedInvocations = Type.Object({
  invocations: Type.Array(
    Type.Object({
      ...{ id: Type.String(), function: Type.String(), kind: Type.String(), source: Type.String() },
      headers: Type.Array(Type.Array(Type.String())),
      path: Type.String(),
      body: Type.String({ description: "Base64" }),
      text: Type.Optional(Type.String({ description: "The body, where it is text" })),
    }),
  ),
});

export const TriggerReplay = Type.Object(
  { from: Type.Optional(Type.Union([Type.Literal("latest"), Type.Literal("earliest")])) },
  strict,
);
export const RunsFilter = Type.Object({ count: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) });
export const Runs = Type.Object({
  data: Type.Array(
    Type.Object({
      function: Type.String(),
      schedule: Type.String(),
      timezone: Type.String(),
      runs: Type.Array(Type.String({ description: "RFC 3339, UTC" })),
    }),
  ),
});
