import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { NAME_PATTERN } from "@fnbus/contract";
import { ServiceConfig } from "@fnbus/service";
import Type, { type Static } from "typebox";

const MB = 1024 * 1024;

export const ExecutorConfig = Type.Object({
  ...ServiceConfig,
  FNBUS_EXECUTOR_POOL: Type.String({ default: "shared", pattern: NAME_PATTERN, description: "pool it serves" }),
  FNBUS_EXECUTOR_CAPACITY: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 10_000,
    description: "asynchronous runs that it holds at once, results that are not durable yet among them",
  }),
  FNBUS_EXECUTOR_INSTANCES: Type.Integer({
    default: 200,
    minimum: 1,
    maximum: 10_000,
    description: "instances of all functions together",
  }),
  FNBUS_EXECUTOR_MEMORY_MB: Type.Integer({
    default: Math.max(512, Math.floor((totalmem() / MB) * 0.75)),
    minimum: 64,
    description: "memory that the functions of all instances together may use; three quarters of the machine's",
  }),
  FNBUS_EXECUTOR_IDLE_SECONDS: Type.Integer({
    default: 300,
    minimum: 1,
    description: "an instance that is idle for longer ends",
  }),
  FNBUS_EXECUTOR_SPARES: Type.Integer({
    default: 2,
    minimum: 0,
    maximum: 32,
    description: "booted runners without code that stand ready, for each runtime",
  }),
  FNBUS_EXECUTOR_FOLDER: Type.String({
    default: join(tmpdir(), "fnbus-executor"),
    description: "unpacked code and folders of instances; its contents may be deleted when no executor runs",
  }),
  FNBUS_EXECUTOR_CODE_MB: Type.Integer({ default: 2048, minimum: 256, description: "unpacked code that is kept" }),
  FNBUS_EXECUTOR_ISOLATION: Type.Union([Type.Literal("auto"), Type.Literal("process")], {
    default: "auto",
    description: "auto: a sandbox where the machine allows it; process: plain processes",
  }),
  FNBUS_EXECUTOR_PYTHON: Type.String({ default: "/usr/bin/python3", description: "Python that functions run on" }),
});
export type ExecutorConfig = Static<typeof ExecutorConfig>;
