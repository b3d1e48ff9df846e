import { fileURLToPath } from "node:url";
import type { Bus } from "@fnbus/bus";
import { readConfig } from "@fnbus/config";
import {
  buckets,
  createId,
  createKeyText,
  decodeAnswer,
  decodeFrame,
  decodeInvocationPack,
  defaultSettings,
  type Envelope,
  encodeQuestion,
  type FunctionDefinition,
  hashSecret,
  platformStorage,
  type RegisteredTrigger,
  type Scope,
  type SourcesAnswer,
  type SourcesQuestion,
  streams,
  subjects,
  type TriggerReport,
} from "@fnbus/contract";
import {
  type Access,
  createAccess,
  createRegistry,
  createTriggers,
  type Registry,
  type Triggers,
} from "@fnbus/registry";
import { createLogger, createMetrics, createTracing } from "@fnbus/telemetry";
import { type Child, connectTestBus, freePorts, type NatsServer, startChild, startNats, until } from "@fnbus/testing";
import { startEventIngest } from "../src/app.ts";
import { IngestConfig } from "../src/config.ts";
import type { HttpTrigger } from "../src/core/read-delivery.ts";

const MB = 1024 * 1024;
const mainOf = (service: string) => fileURLToPath(new URL(`../../${service}/src/main.ts`, import.meta.url));

/** A real broker, a real ledger, and event-ingest; no executor, so everything that is accepted stays unfinished. */
export interface HttpPlatform {
  url: string;
  nats: NatsServer;
  bus: Bus;
  registry: Registry;
  triggers: Triggers;
  /** Of a key that may publish to all spaces. */
  key: string;
  newKey(scopes: Scope[], spaces?: string[], extra?: Record<string, unknown>): Promise<string>;
  createFunction(name: string, style?: "event" | "request"): Promise<FunctionDefinition>;
  /** Stores it, and waits until event-ingest runs it. */
  createTrigger(trigger: HttpTrigger): Promise<RegisteredTrigger>;
  post(trigger: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  report(id: string): Promise<TriggerReport | undefined>;
  ask(question: SourcesQuestion): Promise<SourcesAnswer>;
  /** What stands in INVOCATIONS, copies too, oldest first. */
  stored(): Promise<Envelope[]>;
  /** What the ledger made of it: invocations that it took, and copies that it dropped. */
  totals(): Promise<{ accepted: number; dropped: number }>;
  stop(): Promise<void>;
}

export async function startHttpPlatform(variables: Record<string, string> = {}): Promise<HttpPlatform> {
  const nats = await startNats();
  const bus = await connectTestBus(nats);
  const sizes = { invocations: 256 * MB, outcomes: 16 * MB, parked: 16 * MB, records: 16 * MB };
  await bus.provision(platformStorage({ partitions: 1, replicas: 1, sizes }));
  await bus.objects(buckets.checkpoints);
  const [registry, access, triggers] = [await createRegistry(bus), await createAccess(bus), await createTriggers(bus)];
  await registry.createSpace({ name: "test", createdAt: Date.now() });
  const ledger = await startService("ledger", nats);
  const ingestBus = await connectTestBus(nats, "event-ingest");
  const [metrics, tracing] = [createMetrics("event-ingest"), await createTracing("event-ingest")];
  const ingest = await startEventIngest({
    ...{ name: "event-ingest", bus: ingestBus, logger: createLogger("event-ingest", "error"), metrics, tracing },
    config: readConfig(IngestConfig, { FNBUS_INGEST_PORT: "0", NATS_URL: nats.url, ...variables }),
  });
  const newKey = toKeyMaker(access);

  const ask = async (question: SourcesQuestion) => {
    const { data } = await bus.request(subjects.askSources("event-ingest"), Buffer.from(JSON.stringify(question)), {
      timeoutMs: 5_000,
    });
    return JSON.parse(Buffer.from(data).toString("utf8")) as SourcesAnswer;
  };
  const report = async (id: string) => {
    const answer = await ask({ ask: "states", ids: [id] });
    return answer.ok && answer.answer === "states" ? answer.reports[0] : undefined;
  };
  const totals = async () => {
    const answered = await bus.request(subjects.ask(0), encodeQuestion({ ask: "totals" }), { timeoutMs: 5_000 });
    const { answer } = decodeAnswer(answered.data);
    if (!answer.ok || answer.answer !== "totals") throw new Error(JSON.stringify(answer));
    return { accepted: answer.accepted, dropped: answer.dropped };
  };
  await until("the ledger answers", () => totals().then(Boolean, () => false), 20_000);
  const key = await newKey(["trigger.publish"]);
  return {
    ...{ url: ingest.url, nats, bus, registry, triggers, key, newKey, ask, report, totals },
    createFunction: (name, style = "event") => createFunction(registry, name, style),
    async createTrigger(trigger) {
      const made = await triggers.createTrigger(trigger);
      await until("the trigger runs", async () => (await report(trigger.id))?.state === "Running");
      return made;
    },
    post: (trigger, body, headers = {}) =>
      fetch(`${ingest.url}/events/test/${trigger}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
        body: typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      }),
    stored: () => readStored(bus),
    async stop() {
      await ingest.stop();
      for (const one of [registry, access, triggers]) one.stop();
      await Promise.all([bus.drain(), ingestBus.drain(), metrics.stop(), tracing.stop()]);
      await ledger.stop();
      await nats.stop();
    },
  };
}

/** A service as a process of its own, to be killed. */
export async function startService(
  service: "ledger" | "event-ingest",
  nats: NatsServer,
  variables: Record<string, string> = {},
): Promise<Child> {
  const [port] = await freePorts(1);
  const settings = { NATS_URL: nats.url, FNBUS_OPS_PORT: String(port), FNBUS_LOG_LEVEL: "warn", ...variables };
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const child = await startChild("/usr/bin/env", [...assignments, process.execPath, mainOf(service)]);
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(`${service} is ready`, isReady, 20_000);
  return child;
}

const toKeyMaker =
  (access: Access): HttpPlatform["newKey"] =>
  async (scopes, spaces = [], extra = {}) => {
    const { id, secret, text } = createKeyText();
    const secretHash = hashSecret(secret);
    await access.putKey({ id, name: "test", kind: "key", secretHash, scopes, spaces, createdAt: Date.now(), ...extra });
    return text;
  };

async function createFunction(registry: Registry, name: string, style: "event" | "request") {
  const definition: FunctionDefinition = {
    ...{ id: createId(), space: "test", name, partition: 0, status: "Running" as const },
    settings: { ...defaultSettings, runtime: "nodejs", handler: "index.handler", style },
    ...{ createdAt: Date.now(), updatedAt: Date.now() },
  };
  return (await registry.createFunction(definition)).definition;
}

async function readStored(bus: Bus): Promise<Envelope[]> {
  const stream = streams.invocations(0);
  const { last } = await bus.streamState(stream);
  const envelopes: Envelope[] = [];
  if (last === 0) return envelopes;
  const { promise, resolve } = Promise.withResolvers<void>();
  const reader = await bus.readLog(stream, 1, (batch) => {
    for (const { data, sequence } of batch) {
      const pack = Buffer.from(data);
      for (const { offset } of decodeInvocationPack(pack)) envelopes.push(decodeFrame(pack, offset));
      if (sequence >= last) resolve();
    }
  });
  await promise;
  await reader.stop();
  return envelopes;
}
