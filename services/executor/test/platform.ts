import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "@fnbus/bus";
import { readConfig } from "@fnbus/config";
import {
  buckets,
  type CallReply,
  createId,
  defaultSettings,
  type EnvelopeMeta,
  type FunctionDefinition,
  type FunctionSettings,
  platformStorage,
  type RegisteredFunction,
  subjects,
} from "@fnbus/contract";
import { createRegistry, type Registry } from "@fnbus/registry";
import type { RunningService } from "@fnbus/service";
import { createLogger, createMetrics, createTracing } from "@fnbus/telemetry";
import { connectTestBus, startNats } from "@fnbus/testing";
import { startExecutor } from "../src/app.ts";
import { ExecutorConfig } from "../src/config.ts";
import { toZip } from "./zip.ts";

/** A broker with the platform's storage, and what a test needs to deploy and call. */
export interface Platform {
  url: string;
  bus: Bus;
  registry: Registry;
  deploy(
    settings: Partial<FunctionSettings> & Pick<FunctionSettings, "runtime" | "handler">,
    files: Record<string, string>,
  ): Promise<RegisteredFunction>;
  call(
    found: RegisteredFunction,
    body?: string | Uint8Array,
    meta?: Partial<EnvelopeMeta>,
  ): Promise<{ reply: CallReply; body: Buffer }>;
  stop(): Promise<void>;
}

const SIZE = 16 * 1024 * 1024;

export async function startPlatform(options: { maxPayload?: string } = {}): Promise<Platform> {
  const nats = await startNats({ syncAlways: false, ...options });
  const bus = await connectTestBus(nats);
  const names = [
    "invocations",
    "outcomes",
    "parked",
    "records",
    "logs",
    "registry",
    "access",
    "leases",
    "checkpoints",
    "callbacks",
  ];
  const sizes = { ...Object.fromEntries(names.map((name) => [name, SIZE])), code: 16 * SIZE, bodies: 16 * SIZE };
  await bus.provision(platformStorage({ partitions: 1, replicas: 1, sizes }));
  const registry = await createRegistry(bus);
  await registry.createSpace({ name: "default", createdAt: Date.now() });
  const code = await bus.objects(buckets.code);

  return {
    url: nats.url,
    bus,
    registry,
    async deploy(settings, files) {
      const id = createId();
      const object = `${id}/1`;
      await code.put(object, toZip(files));
      const now = Date.now();
      const definition: FunctionDefinition = {
        id,
        space: "default",
        name: `f-${id.slice(-12)}`,
        partition: 0,
        status: "Running",
        settings: { ...defaultSettings, ...settings },
        code: { number: 1, object, sha256: "", bytes: 0, createdAt: now },
        createdAt: now,
        updatedAt: now,
      };
      return registry.createFunction(definition);
    },
    async call(found, body = "", meta = {}) {
      const whole = toMeta(found, meta);
      const subject = subjects.call(found.definition.settings.pool, whole.space, whole.function);
      const answer = await bus.call(subject, JSON.stringify(whole), Buffer.from(body), { timeoutMs: 60_000 });
      return { reply: JSON.parse(answer.head) as CallReply, body: Buffer.from(answer.body) };
    },
    async stop() {
      registry.stop();
      await bus.drain();
      await nats.stop();
    },
  };
}

export const toMeta = (found: RegisteredFunction, meta: Partial<EnvelopeMeta> = {}): EnvelopeMeta => ({
  v: 1,
  id: createId(),
  space: found.definition.space,
  function: found.definition.name,
  qualifier: "latest",
  registryId: found.definition.id,
  revision: found.revision,
  partition: 0,
  kind: "http",
  source: "http",
  method: "POST",
  path: "/",
  query: "",
  headers: [],
  deadlineMs: 30_000,
  acceptedAt: Date.now(),
  ...meta,
});

export interface TestExecutor extends RunningService {
  name: string;
}

/** The service itself in this process, with a connection and a folder of its own. */
export async function startTestExecutor(
  platform: Platform,
  variables: Record<string, string> = {},
): Promise<TestExecutor> {
  const folder = mkdtempSync(join(tmpdir(), "fnbus-test-"));
  chmodSync(folder, 0o711);
  const config = readConfig(ExecutorConfig, { FNBUS_EXECUTOR_FOLDER: folder, ...variables });
  const bus = await connectTestBus(platform, "executor");
  const running = await startExecutor({
    name: "executor",
    config,
    bus,
    logger: createLogger("executor", "error"),
    metrics: createMetrics("executor"),
    tracing: await createTracing("executor"),
  });
  return {
    ...running,
    name: String(running.health?.().executor),
    async stop() {
      await running.stop();
      await bus.drain();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
