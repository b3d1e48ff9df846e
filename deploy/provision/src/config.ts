import { defaultSizes, type StorageSizes } from "@fnbus/contract";
import Type from "typebox";

const size = (name: keyof StorageSizes, what: string) =>
  Type.Integer({ default: defaultSizes[name], minimum: 1024 * 1024, description: `bytes for ${what}` });

export const Config = Type.Object({
  NATS_URL: Type.String({ default: "nats://127.0.0.1:4222", description: "NATS servers, comma-separated" }),
  NATS_USER: Type.String({ default: "", description: "NATS user" }),
  NATS_PASSWORD: Type.String({ default: "", description: "NATS password", secret: true }),
  FNBUS_ADMIN_KEY: Type.String({ default: "", description: "admin key to install, fnb_<id>_<secret>", secret: true }),
  FNBUS_CONNECT_MS: Type.Integer({ default: 60_000, minimum: 0, description: "time to reach NATS; 0: for ever" }),
  FNBUS_PARTITIONS: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: "partitions of the ledger" }),
  FNBUS_REPLICAS: Type.Integer({ default: 1, minimum: 1, maximum: 5, description: "copies of each stream" }),
  FNBUS_SIZE_INVOCATIONS: size("invocations", "unfinished invocations, each partition"),
  FNBUS_SIZE_OUTCOMES: size("outcomes", "outcomes, each partition"),
  FNBUS_SIZE_PARKED: size("parked", "long waiting envelopes and dead letters, each partition"),
  FNBUS_SIZE_RECORDS: size("records", "callback attempts and recorded calls, each partition"),
  FNBUS_SIZE_LOGS: size("logs", "log lines of functions"),
  FNBUS_SIZE_REGISTRY: size("registry", "definitions"),
  FNBUS_SIZE_ACCESS: size("access", "keys and tokens"),
  FNBUS_SIZE_TRIGGERS: size("triggers", "triggers and the credentials of their brokers"),
  FNBUS_SIZE_LEASES: size("leases", "ownership"),
  FNBUS_SIZE_CODE: size("code", "code archives"),
  FNBUS_SIZE_BODIES: size("bodies", "large bodies"),
  FNBUS_SIZE_CHECKPOINTS: size("checkpoints", "checkpoints of the ledger"),
  FNBUS_SIZE_CALLBACKS: size("callbacks", "bodies of open callbacks"),
});
