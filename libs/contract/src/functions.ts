import Type, { type Static } from "typebox";
import { NAME_PATTERN } from "./ids.ts";
import { limits } from "./limits.ts";

/** Definitions that the registry keeps: spaces, functions, versions of code. TypeBox schemas are the types. */

const strict = { additionalProperties: false } as const;

export const Space = Type.Object(
  {
    name: Type.String({ pattern: NAME_PATTERN }),
    description: Type.Optional(Type.String({ maxLength: 512 })),
    createdAt: Type.Number(),
  },
  { $id: "Space" },
);
export type Space = Static<typeof Space>;

/** `event`: handler(event, context), spec 4.1. `request`: handle(req) with method, path, query, headers, body, spec 7.3. */
export const HandlerStyle = Type.Union([Type.Literal("event"), Type.Literal("request")]);
export type HandlerStyle = Static<typeof HandlerStyle>;
export const Runtime = Type.Union([Type.Literal("nodejs"), Type.Literal("python")]);
export type Runtime = Static<typeof Runtime>;

/** When a failed attempt is tried again. `on` names the errors that are: codes of the error table, or all of the function's. */
export const RetryPolicy = Type.Object(
  {
    maxAttempts: Type.Integer({ minimum: limits.attempts.min, maximum: limits.attempts.max }),
    firstDelayMs: Type.Integer({ minimum: 0, maximum: 3_600_000 }),
    factor: Type.Number({ minimum: 1, maximum: 10 }),
    maxDelayMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
    /** Share of the delay that is random, 0..1. */
    jitter: Type.Number({ minimum: 0, maximum: 1 }),
    /** Empty: every error of side `function`. Else only these codes. */
    on: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 }),
  },
  { $id: "RetryPolicy", ...strict },
);
export type RetryPolicy = Static<typeof RetryPolicy>;

export const defaultRetry: RetryPolicy = {
  maxAttempts: 1,
  firstDelayMs: 1000,
  factor: 2,
  maxDelayMs: 60_000,
  jitter: 0.2,
  on: [],
};

export const Concurrency = Type.Object(
  {
    /** Runs at once in all, asynchronous (exact) and synchronous (shared out among executors) counted apart. */
    limit: Type.Integer({ minimum: 1, maximum: 1000 }),
    /** Runs at once in one instance. */
    perInstance: Type.Integer({ minimum: 1, maximum: 100 }),
    /** Instances kept ready on each executor, started before the first call. */
    prestart: Type.Integer({ minimum: 0, maximum: 100 }),
  },
  { $id: "Concurrency", ...strict },
);
export type Concurrency = Static<typeof Concurrency>;

/** `strict`: refuse to run without a sandbox. `any`: what the executor can, shown on /health. */
export const Isolation = Type.Union([Type.Literal("strict"), Type.Literal("any")]);

/** What a caller may set. Every field has a default except runtime and handler, which creation fills from the code. */
export const FunctionSettings = Type.Object(
  {
    description: Type.String({ maxLength: 512 }),
    runtime: Runtime,
    style: HandlerStyle,
    /** file.function, for example index.handler. */
    handler: Type.String({ minLength: 3, maxLength: 128 }),
    /** file.function run once per instance before its first call; empty: none. */
    initializer: Type.String({ maxLength: 128 }),
    timeoutMs: Type.Integer({ minimum: limits.timeoutMs.min, maximum: limits.timeoutMs.max }),
    initializerTimeoutMs: Type.Integer({ minimum: limits.timeoutMs.min, maximum: 300_000 }),
    memoryMb: Type.Integer({ minimum: limits.memoryMb.min, maximum: limits.memoryMb.max }),
    environment: Type.Record(
      Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" }),
      Type.String({ maxLength: 8192 }),
    ),
    concurrency: Concurrency,
    retry: RetryPolicy,
    /** How long an asynchronous invocation may wait and run in all. */
    maxAgeMs: Type.Integer({ minimum: 1000, maximum: limits.maxAgeMs }),
    isolation: Isolation,
    /** The function may open network connections. */
    network: Type.Boolean(),
    /** Executor pool. */
    pool: Type.String({ pattern: NAME_PATTERN }),
    /** SmartWorks options: topics it listens to, comma-separated, and its cron schedule. */
    options: Type.Object(
      {
        topics: Type.Optional(Type.String({ maxLength: 4096 })),
        schedule: Type.Optional(Type.String({ maxLength: 256 })),
      },
      strict,
    ),
    /** Record synchronous calls for the look-up. */
    record: Type.Union([Type.Literal("none"), Type.Literal("failures"), Type.Literal("all")]),
  },
  { $id: "FunctionSettings", ...strict },
);
export type FunctionSettings = Static<typeof FunctionSettings>;

export const defaultSettings: Omit<FunctionSettings, "runtime" | "handler"> = {
  description: "",
  style: "event",
  initializer: "",
  timeoutMs: limits.timeoutMs.default,
  initializerTimeoutMs: 60_000,
  memoryMb: limits.memoryMb.default,
  environment: {},
  concurrency: { limit: 100, perInstance: 1, prestart: 0 },
  retry: defaultRetry,
  maxAgeMs: limits.defaultMaxAgeMs,
  isolation: "any",
  network: true,
  pool: "shared",
  options: {},
  record: "failures",
};

/** One upload of code. Kept until the function is deleted. */
export const CodeVersion = Type.Object(
  {
    number: Type.Integer({ minimum: 1 }),
    /** Name in the CODE bucket; the object is a ZIP archive. */
    object: Type.String(),
    sha256: Type.String(),
    bytes: Type.Integer(),
    createdAt: Type.Number(),
  },
  { $id: "CodeVersion", ...strict },
);
export type CodeVersion = Static<typeof CodeVersion>;

/** SmartWorks' states of a function (wire-compatibility.md 7.2). */
export const FunctionStatus = Type.Union([
  Type.Literal("Pending"),
  Type.Literal("Building"),
  Type.Literal("Running"),
  Type.Literal("Failed"),
]);

export const FunctionDefinition = Type.Object(
  {
    /** Registry id, a UUIDv7: a namesake made later is another function (L3). */
    id: Type.String(),
    space: Type.String(),
    name: Type.String(),
    partition: Type.Integer(),
    status: FunctionStatus,
    settings: FunctionSettings,
    code: Type.Optional(CodeVersion),
    createdAt: Type.Number(),
    updatedAt: Type.Number(),
  },
  { $id: "FunctionDefinition" },
);
export type FunctionDefinition = Static<typeof FunctionDefinition>;

/** A definition as the registry holds it: with the revision of its key, which envelopes carry (L3). */
export interface RegisteredFunction {
  definition: FunctionDefinition;
  revision: number;
}
