import { CallbackGuardSettings } from "@fnbus/guard";
import { ServiceConfig } from "@fnbus/service";
import Type from "typebox";

const duration = "^[0-9]{1,9}(ms|s|m|h|d)$";

/** Every variable of callback-dispatcher. Times are a number and ms, s, m, h or d. */
export const Config = Type.Object({
  ...ServiceConfig,
  REDIS_URL: Type.String({
    default: "redis://127.0.0.1:6379",
    description: "Redis of the callbacks' timers, with password: redis://:password@host:port",
    secret: true,
  }),
  FNBUS_PARTITIONS: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: "partitions of the platform" }),
  FNBUS_SIGNING_SECRET: Type.String({
    minLength: 16,
    description: "master secret that the spaces' signing secrets are derived from",
    secret: true,
  }),
  FNBUS_SIGNING_SECRET_PREVIOUS: Type.String({
    default: "",
    description: "the master secret before, while both are in use",
    secret: true,
  }),
  FNBUS_CALLBACK_SCHEDULE: Type.String({
    default: "5s,30s,5m,30m,2h,5h,10h,10h",
    pattern: "^[0-9]{1,9}(ms|s|m|h|d)( ?, ?[0-9]{1,9}(ms|s|m|h|d)){0,31}$",
    description: "delays before the second and every further try",
  }),
  ...CallbackGuardSettings,
  FNBUS_CALLBACK_TIMEOUT_MS: Type.Integer({
    default: 15_000,
    minimum: 100,
    maximum: 25_000,
    description: "for one try in all, connecting to the end of the answer",
  }),
  FNBUS_CALLBACK_CONCURRENCY: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 4096,
    description: "callbacks on their way at once",
  }),
  FNBUS_CALLBACK_PER_HOST: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 1024,
    description: "of these, to one host and port that answers quickly",
  }),
  FNBUS_CALLBACK_PAUSE_AFTER: Type.String({
    default: "5d",
    pattern: duration,
    description: "a host that only failed for so long is paused",
  }),
  FNBUS_CALLBACK_MAX_AGE: Type.String({
    default: "7d",
    pattern: duration,
    description: "a callback that could not be tried (paused host) is given up after this",
  }),
  FNBUS_CALLBACK_COPY_AFTER: Type.String({
    default: "5m",
    pattern: duration,
    description: "callbacks open for longer are copied, so that the log of outcomes can be trimmed",
  }),
  FNBUS_CALLBACK_RECONCILE: Type.String({
    default: "2m",
    pattern: duration,
    description: "how often callbacks that are overdue are looked for in Redis",
  }),
});
