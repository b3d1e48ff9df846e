import Type, { type Static } from "typebox";
import { limits } from "./limits.ts";

/** What each type of trigger is told. Fields that are secret are named in `secretFields` and never shown again. */

const strict = { additionalProperties: false } as const;
const host = Type.String({ minLength: 1, maxLength: 253 });
const port = Type.Integer({ minimum: 1, maximum: 65_535 });
const secret = Type.String({ maxLength: 4096 });
const pem = Type.String({ maxLength: 64 * 1024 });

/** Ticks that were missed: none are made up for, the last one, or all within the window. */
export const CatchUp = Type.Union([Type.Literal("none"), Type.Literal("last"), Type.Literal("all")]);
export type CatchUp = Static<typeof CatchUp>;
/** A tick while an earlier one's invocation is unfinished: run beside it, be skipped, or wait (one at most). */
export const Overlap = Type.Union([Type.Literal("allow"), Type.Literal("skip"), Type.Literal("queue-one")]);
export type Overlap = Static<typeof Overlap>;

const ticking = {
  /** IANA name; "UTC" where none is given. A CRON_TZ= prefix of the schedule stands over it. */
  timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  catchUp: Type.Optional(CatchUp),
  /** How far back missed ticks are made up for, ms. */
  catchUpWindowMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 31 * 86_400_000 })),
  overlap: Type.Optional(Overlap),
};

/** SmartWorks' cron: one a space; the schedules stand with the functions (options.schedule). */
export const CronConfig = Type.Object({ ...ticking }, { $id: "CronConfig", ...strict });
export type CronConfig = Static<typeof CronConfig>;

/**
 * `standard`: 5 fields minute first, or 6 with seconds first. `functiongraph`: seconds first always, day of week
 * optional (wire-compatibility.md 5.3). Both take @every, descriptors and CRON_TZ=.
 */
export const ScheduleSyntax = Type.Union([Type.Literal("standard"), Type.Literal("functiongraph")]);
export type ScheduleSyntax = Static<typeof ScheduleSyntax>;

export const TimerConfig = Type.Object(
  {
    schedule: Type.String({ minLength: 1, maxLength: 256 }),
    syntax: Type.Optional(ScheduleSyntax),
    ...ticking,
    /** Handed to the function as `user_event`. */
    userEvent: Type.Optional(Type.String({ maxLength: 2048 })),
  },
  { $id: "TimerConfig", ...strict },
);
export type TimerConfig = Static<typeof TimerConfig>;

/** Of the connection to a broker: absent is no TLS. */
export const TlsConfig = Type.Object(
  {
    /** Authorities to trust instead of the system's, PEM. */
    ca: Type.Optional(pem),
    /** Client certificate and its key, PEM. */
    certificate: Type.Optional(pem),
    key: Type.Optional(pem),
    serverName: Type.Optional(host),
    /** false: the broker's certificate is not checked. For tests. */
    verify: Type.Optional(Type.Boolean()),
  },
  { $id: "TlsConfig", ...strict },
);
export type TlsConfig = Static<typeof TlsConfig>;

/** Messages that the broker kept: of each new subscription, of a first one, or never taken. */
export const Retained = Type.Union([Type.Literal("ignore"), Type.Literal("first"), Type.Literal("always")]);

export const MqttConfig = Type.Object(
  {
    host,
    port: Type.Optional(port),
    /** Filters, comma-separated as SmartWorks writes them; wildcards + and #. */
    topics: Type.String({ minLength: 1, maxLength: 16_384 }),
    username: Type.Optional(Type.String({ maxLength: 1024 })),
    password: Type.Optional(secret),
    /** 2 is taken and subscribed as 1: a death between receipt and release would lose it. */
    qos: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 })),
    protocolVersion: Type.Optional(Type.Union([Type.Literal(4), Type.Literal(5)])),
    clientId: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    tls: Type.Optional(TlsConfig),
    /** Divide the messages among replicas ($share). Needs protocol 5. */
    shared: Type.Optional(Type.Boolean()),
    retained: Type.Optional(Retained),
    sessionExpirySeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 31 * 86_400 })),
    /** Connections to the broker; they share the subscription. */
    connections: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
  },
  { $id: "MqttConfig", ...strict },
);
export type MqttConfig = Static<typeof MqttConfig>;

const batching = {
  /** Records in one invocation at most. */
  batchSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  /** How long a batch may wait to be filled, ms. */
  batchWindowMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 300_000 })),
  /** Named in the event, as FunctionGraph does. */
  instanceId: Type.Optional(Type.String({ maxLength: 128 })),
  region: Type.Optional(Type.String({ maxLength: 64 })),
};

/** `message`: the payload is the body, X-Topic its routing key. `functiongraph`: batches in its event form. */
export const RabbitmqForm = Type.Union([Type.Literal("message"), Type.Literal("functiongraph")]);

export const RabbitmqConfig = Type.Object(
  {
    host,
    port: Type.Optional(port),
    vhost: Type.Optional(Type.String({ maxLength: 255 })),
    username: Type.Optional(Type.String({ maxLength: 1024 })),
    password: Type.Optional(secret),
    exchange: Type.Optional(Type.String({ maxLength: 255 })),
    exchangeType: Type.Optional(
      Type.Union([Type.Literal("topic"), Type.Literal("direct"), Type.Literal("fanout"), Type.Literal("headers")]),
    ),
    queue: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    /** Routing keys that bind the queue to the exchange, comma-separated. */
    topics: Type.Optional(Type.String({ maxLength: 16_384 })),
    tls: Type.Optional(TlsConfig),
    form: Type.Optional(RabbitmqForm),
    prefetch: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    ...batching,
  },
  { $id: "RabbitmqConfig", ...strict },
);
export type RabbitmqConfig = Static<typeof RabbitmqConfig>;

export const KafkaConfig = Type.Object(
  {
    /** host:port each. */
    brokers: Type.Array(Type.String({ minLength: 1, maxLength: 260 }), { minItems: 1, maxItems: 32 }),
    topics: Type.Array(Type.String({ pattern: "^[a-zA-Z0-9._-]{1,249}$" }), { minItems: 1, maxItems: 100 }),
    groupId: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    /** Where a partition begins of which neither ledger nor group holds a place. */
    from: Type.Optional(Type.Union([Type.Literal("latest"), Type.Literal("earliest")])),
    sasl: Type.Optional(
      Type.Object(
        {
          mechanism: Type.Union([Type.Literal("PLAIN"), Type.Literal("SCRAM-SHA-256"), Type.Literal("SCRAM-SHA-512")]),
          username: Type.String({ maxLength: 1024 }),
          password: Type.Optional(secret),
        },
        strict,
      ),
    ),
    tls: Type.Optional(TlsConfig),
    ...batching,
  },
  { $id: "KafkaConfig", ...strict },
);
export type KafkaConfig = Static<typeof KafkaConfig>;

export const ObsConfig = Type.Object(
  {
    bucket: Type.String({ minLength: 1, maxLength: 63 }),
    /** "s3:ObjectCreated:*", "ObjectCreated", "Put", … (wire-compatibility.md 5.4). */
    events: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 16 }),
    prefix: Type.Optional(Type.String({ maxLength: 1024 })),
    suffix: Type.Optional(Type.String({ maxLength: 1024 })),
  },
  { $id: "ObsConfig", ...strict },
);
export type ObsConfig = Static<typeof ObsConfig>;

export const LtsConfig = Type.Object(
  {
    logGroupId: Type.String({ minLength: 1, maxLength: 64 }),
    logTopicId: Type.String({ minLength: 1, maxLength: 64 }),
  },
  { $id: "LtsConfig", ...strict },
);
export type LtsConfig = Static<typeof LtsConfig>;

export const CtsConfig = Type.Object(
  {
    /** "ECS:ecs;server:restartServer;deleteServer": service, resource types, operations. */
    operations: Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), { minItems: 1, maxItems: 100 }),
  },
  { $id: "CtsConfig", ...strict },
);
export type CtsConfig = Static<typeof CtsConfig>;

export const CloudEventsConfig = Type.Object(
  {
    /** Types that are taken, * at the end as a wildcard; absent: all. */
    types: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { minItems: 1, maxItems: 100 })),
    sources: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { minItems: 1, maxItems: 100 })),
  },
  { $id: "CloudEventsConfig", ...strict },
);
export type CloudEventsConfig = Static<typeof CloudEventsConfig>;

export const triggerConfigs = {
  cron: CronConfig,
  timer: TimerConfig,
  mqtt: MqttConfig,
  rabbitmq: RabbitmqConfig,
  kafka: KafkaConfig,
  obs: ObsConfig,
  lts: LtsConfig,
  cts: CtsConfig,
  cloudevents: CloudEventsConfig,
} as const;

export type TriggerConfigs = {
  cron: CronConfig;
  timer: TimerConfig;
  mqtt: MqttConfig;
  rabbitmq: RabbitmqConfig;
  kafka: KafkaConfig;
  obs: ObsConfig;
  lts: LtsConfig;
  cts: CtsConfig;
  cloudevents: CloudEventsConfig;
};

/** Where secrets stand in a config: paths of names. */
export const secretFields: Readonly<Record<keyof TriggerConfigs, readonly (readonly string[])[]>> = {
  cron: [],
  timer: [],
  mqtt: [["password"], ["tls", "key"]],
  rabbitmq: [["password"], ["tls", "key"]],
  kafka: [
    ["sasl", "password"],
    ["tls", "key"],
  ],
  obs: [],
  lts: [],
  cts: [],
  cloudevents: [],
};

/** Records of one invocation where a trigger says nothing, and how long they are waited for. */
export const defaultBatch = Object.freeze({ size: 100, windowMs: 0 });
/** Missed ticks are made up for: the last one, of one day back at most. */
export const defaultTicking = Object.freeze({
  timezone: "UTC",
  catchUp: "last" as CatchUp,
  catchUpWindowMs: limits.maxAgeMs,
  overlap: "allow" as Overlap,
});
