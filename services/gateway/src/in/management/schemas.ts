import {
  AccessKey,
  Concurrency,
  endStates,
  FunctionDefinition,
  FunctionSettings,
  NAME_PATTERN,
  RetryPolicy,
  Scope,
} from "@fnbus/contract";
import Type from "typebox";

/** Schemas of the management API. What a caller sends refuses unknown fields; what we answer may grow. */
const strict = { additionalProperties: false } as const;

export const Name = Type.String({ pattern: NAME_PATTERN, description: "Lower-case letters, digits and hyphens" });
const Source = Type.Object(
  {
    files: Type.Optional(Type.Record(Type.String(), Type.String(), { description: "Inline source: names to texts" })),
    zip: Type.Optional(Type.String({ description: "A ZIP archive as base64" })),
  },
  strict,
);

const settings = {
  ...Type.Partial(FunctionSettings).properties,
  concurrency: Type.Optional(Type.Partial(Concurrency, strict)),
  retry: Type.Optional(Type.Partial(RetryPolicy, strict)),
};
export const NewFunction = Type.Object({ name: Name, ...settings, source: Type.Optional(Source) }, strict);
export const FunctionChange = Type.Object({ ...settings, source: Type.Optional(Source) }, strict);
export const FunctionView = Type.Object(
  {
    ...FunctionDefinition.properties,
    revision: Type.Integer(),
    warnings: Type.Optional(Type.Array(Type.String())),
  },
  { $id: "Function" },
);
export const NewSpace = Type.Object(
  { name: Name, description: Type.Optional(Type.String({ maxLength: 512 })) },
  strict,
);
export const Rollback = Type.Object({ version: Type.Integer({ minimum: 1 }) }, strict);

const { secretHash: _hash, ...shown } = AccessKey.properties;
export const KeyView = Type.Object({ ...shown, key: Type.Optional(Type.String()) }, { $id: "Key" });
export const NewKey = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    scopes: Type.Array(Scope, { minItems: 1, maxItems: 32 }),
    spaces: Type.Optional(Type.Array(Name, { maxItems: 100 })),
    expiresAt: Type.Optional(Type.Number({ minimum: 0 })),
    rate: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  },
  strict,
);

const State = Type.Union([...endStates, "queued", "running", "waiting"].map((state) => Type.Literal(state)));
const Time = Type.String({ maxLength: 64, description: "RFC 3339, or milliseconds since 1970" });
export const InvocationFilter = Type.Object({
  function: Type.Optional(Name),
  state: Type.Optional(Type.Array(State, { maxItems: 8 })),
  since: Type.Optional(Time),
  until: Type.Optional(Time),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
  callback: Type.Optional(Type.Union(["pending", "delivered", "given-up"].map((state) => Type.Literal(state)))),
});
export const Wait = Type.Object({ wait: Type.Optional(Type.Number({ minimum: 0, maximum: 900 })) });
export const LogFilter = Type.Object({
  since: Type.Optional(Time),
  tail: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
  follow: Type.Optional(Type.Boolean()),
  invocation: Type.Optional(Type.String({ maxLength: 64 })),
});
export const RedriveMany = Type.Object(
  {
    function: Type.Optional(Name),
    ids: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 500 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
    perSecond: Type.Optional(Type.Number({ minimum: 0.1, maximum: 1000 })),
    dryRun: Type.Optional(Type.Boolean()),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
  },
  strict,
);
export const GiveUpFilter = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  before: Type.Optional(Type.Integer({ minimum: 0 })),
});
export const Resume = Type.Object({ host: Type.String({ minLength: 1, maxLength: 255 }) }, strict);

/** What a page of a list looks like. */
export const pageOf = <T extends Type.TSchema>(item: T) =>
  Type.Object({ data: Type.Array(item), next: Type.Optional(Type.String()) });
