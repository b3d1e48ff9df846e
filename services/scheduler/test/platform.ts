import { fileURLToPath } from "node:url";
import type { Bus } from "@fnbus/bus";
import { readConfig } from "@fnbus/config";
import {
  buckets,
  createId,
  decodeAnswer,
  decodeEntryPack,
  decodeFrame,
  decodeInvocationPack,
  defaultSettings,
  type Envelope,
  encodeQuestion,
  type FunctionDefinition,
  type FunctionSettings,
  type GiveUp,
  platformStorage,
  type SourcesAnswer,
  type SourcesQuestion,
  streams,
  subjects,
  type TimerConfig,
  type Trigger,
  type TriggerOf,
  type TriggerReport,
} from "@fnbus/contract";
import { createRegistry, createTriggers, type Registry, type Triggers } from "@fnbus/registry";
import { createLogger, createMetrics, createTracing } from "@fnbus/telemetry";
import { type Child, connectTestBus, freePorts, type NatsServer, startChild, startNats, until } from "@fnbus/testing";
import { startScheduler } from "../src/app.ts";
import { SchedulerConfig } from "../src/config.ts";

const MB = 1024 * 1024;

/** A real broker and a real ledger; no executor, so that everything that was taken stays and can be counted. */
export interface Platform {
  nats: NatsServer;
  bus: Bus;
  registry: Registry;
  triggers: Triggers;
  createFunction(name: string, settings?: Partial<FunctionSettings>, createdAt?: number): Promise<FunctionDefinition>;
  /** Changes settings as the gateway does. */
  changeFunction(name: string, settings: Partial<FunctionSettings>): Promise<void>;
  createTimer(to: string, config: TimerConfig, createdAt?: number): Promise<TriggerOf<"timer">>;
  createCron(space: string): Promise<TriggerOf<"cron">>;
  change(trigger: Trigger, now: { enabled?: boolean; config?: object }): Promise<void>;
  /** Another replica, in this process. */
  startReplica(now?: () => number, variables?: Record<string, string>): Promise<{ stop(): Promise<void> }>;
  /** Another replica, to be killed. */
  startProcess(): Promise<Child>;
  ask(question: SourcesQuestion): Promise<SourcesAnswer>;
  report(id: string): Promise<TriggerReport | undefined>;
  /** What the ledger took of a trigger (its first copy of each position), in order. */
  taken(trigger: Trigger): Promise<Envelope[]>;
  ticks(trigger: Trigger): Promise<number[]>;
  totals(): Promise<{ accepted: number; dropped: number }>;
  /** Ends what waits, so that a backlog has room again. */
  cancel(taken: readonly Envelope[]): Promise<void>;
  giveUps(trigger: Trigger): Promise<GiveUp[]>;
  stop(): Promise<void>;
}

const mainOf = (service: string) => fileURLToPath(new URL(`../../${service}/src/main.ts`, import.meta.url));

/** A service as a process of its own; resolves when it is ready. */
async function startProcess(
  service: "ledger" | "scheduler",
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
  await until(`${service} is ready: ${child.output()}`, isReady, 20_000);
  return child;
}

/** Entries of a stream as they stand now, oldest first. */
async function readAll<T>(bus: Bus, stream: string, toEntries: (data: Buffer, at: number) => T[]): Promise<T[]> {
  const { last } = await bus.streamState(stream);
  const found: T[] = [];
  if (last === 0) return found;
  const { promise, resolve } = Promise.withResolvers<void>();
  const reader = await bus.readLog(stream, 1, (batch) => {
    for (const { data, sequence, at } of batch) {
      found.push(...toEntries(Buffer.from(data), at));
      if (sequence >= last) resolve();
    }
  });
  await promise;
  await reader.stop();
  return found;
}

const TICK_AHEAD_MS = 60_000;

/** L10, told anew: what lies above the mark is taken, but for a tick a minute ahead of its stored time. */
function toTaken(stored: { envelope: Envelope; at: number }[]): Envelope[] {
  const marks = new Map<string, number>();
  const taken = stored.filter(
    ({
      envelope: {
        meta: { position },
      },
      at,
    }) => {
      if (!position) return true;
      if (position.last > at + TICK_AHEAD_MS) return false;
      if (position.first <= (marks.get(position.source) ?? Number.NEGATIVE_INFINITY)) return false;
      marks.set(position.source, position.last);
      return true;
    },
  );
  return taken.map(({ envelope }) => envelope);
}

/** `variables`: of the ledger. */
export async function startPlatform(variables: Record<string, string> = {}): Promise<Platform> {
  const nats = await startNats();
  const bus = await connectTestBus(nats);
  const sizes = { invocations: 256 * MB, outcomes: 16 * MB, parked: 16 * MB, records: 16 * MB };
  await bus.provision(platformStorage({ partitions: 1, replicas: 1, sizes }));
  await bus.objects(buckets.checkpoints);
  const [registry, triggers] = [await createRegistry(bus), await createTriggers(bus)];
  await registry.createSpace({ name: "test", createdAt: Date.now() });
  const ledger = await startProcess("ledger", nats, variables);
  const totals = async () => {
    const answered = await bus.request(subjects.ask(0), encodeQuestion({ ask: "totals" }), { timeoutMs: 5_000 });
    const { answer } = decodeAnswer(answered.data);
    if (!answer.ok || answer.answer !== "totals") throw new Error(JSON.stringify(answer));
    return { accepted: answer.accepted, dropped: answer.dropped };
  };
  await until("the ledger answers", () => totals().then(Boolean, () => false), 20_000);
  const ask = async (question: SourcesQuestion) => {
    const { data } = await bus.request(subjects.askSources("scheduler"), Buffer.from(JSON.stringify(question)), {
      timeoutMs: 5_000,
    });
    return JSON.parse(Buffer.from(data).toString("utf8")) as SourcesAnswer;
  };
  const taken = async (trigger: Trigger) => {
    const stored = await readAll(bus, streams.invocations(0), (pack, at) =>
      decodeInvocationPack(pack).map(({ offset }) => ({ envelope: decodeFrame(pack, offset), at })),
    );
    return toTaken(stored).filter(({ meta }) => meta.trigger === trigger.name);
  };
  const create = async <T extends Trigger>(trigger: T) => (await triggers.createTrigger(trigger)).trigger as T;
  const base = (createdAt: number) => {
    const id = createId();
    const names = { id, incarnation: createId(), space: "test", name: `t-${id.slice(-8)}`, description: "" };
    return { ...names, enabled: true, createdAt, updatedAt: createdAt };
  };

  return {
    ...{ nats, bus, registry, triggers, ask, taken, totals },
    async createFunction(name, settings = {}, createdAt = Date.now()) {
      const definition: FunctionDefinition = {
        ...{ id: createId(), space: "test", name, partition: 0, status: "Running" },
        settings: { ...defaultSettings, runtime: "nodejs", handler: "index.handler", ...settings },
        ...{ createdAt, updatedAt: createdAt },
      };
      return (await registry.createFunction(definition)).definition;
    },
    async changeFunction(name, settings) {
      const { definition, revision } = registry.functionByName("test", name)!;
      const changed = { ...definition, settings: { ...definition.settings, ...settings }, updatedAt: Date.now() };
      await registry.updateFunction(changed, revision);
    },
    createTimer: (to, config, createdAt = Date.now()) =>
      create({ ...base(createdAt), type: "timer", function: { name: to, qualifier: "latest" }, config }),
    createCron: (space) => create({ ...base(Date.now()), space, name: "cron", type: "cron", config: {} }),
    async change({ id }, now) {
      const { trigger, revision } = triggers.triggerById(id)!;
      await triggers.updateTrigger({ ...trigger, ...now, updatedAt: Date.now() } as Trigger, revision);
    },
    async startReplica(now, variables = {}) {
      const replicaBus = await connectTestBus(nats, "scheduler");
      const [metrics, tracing] = [createMetrics("scheduler"), await createTracing("scheduler")];
      const config = readConfig(SchedulerConfig, { NATS_URL: nats.url, ...variables });
      const logger = createLogger("scheduler", "error");
      const running = await startScheduler(
        { name: "scheduler", config, bus: replicaBus, logger, metrics, tracing },
        now,
      );
      return {
        async stop() {
          await running.stop();
          await Promise.all([replicaBus.drain(), metrics.stop(), tracing.stop()]);
        },
      };
    },
    async cancel(envelopes) {
      for (const { meta } of envelopes) {
        const question = encodeQuestion({ ask: "cancel", space: meta.space, id: meta.id });
        await bus.request(subjects.ask(0), question, { timeoutMs: 5_000 });
      }
    },
    startProcess: () => startProcess("scheduler", nats),
    async report(id) {
      const answer = await ask({ ask: "states", ids: [id] });
      return answer.ok && answer.answer === "states" ? answer.reports[0] : undefined;
    },
    ticks: async (trigger) => (await taken(trigger)).map(({ meta }) => meta.position!.last),
    async giveUps(trigger) {
      const records = await readAll(bus, streams.records(0), (pack) =>
        decodeEntryPack<unknown, GiveUp>(pack).entries.map(({ meta }) => meta),
      );
      return records.filter(({ type, details }) => type === "give-up" && details?.trigger === trigger.name);
    },
    async stop() {
      for (const one of [registry, triggers]) one.stop();
      await bus.drain();
      await ledger.stop();
      await nats.stop();
    },
  };
}
