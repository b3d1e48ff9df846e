import { fileURLToPath } from "node:url";
import { type Bus, connectBus } from "@fnbus/bus";
import {
  type Answer,
  createId,
  decodeAnswer,
  decodeFrame,
  decodeInvocationPack,
  defaultSettings,
  encodeQuestion,
  type FunctionDefinition,
  type GiveUp,
  platformStorage,
  type Question,
  streams,
  subjects,
  type Trigger,
} from "@fnbus/contract";
import { createRegistry, createTriggers, type Registry, type Triggers } from "@fnbus/registry";
import { type Child, freePorts, type NatsServer, startChild, startNats, until } from "@fnbus/testing";

const MB = 1024 * 1024;
const ledgerMain = fileURLToPath(new URL("../../../ledger/src/main.ts", import.meta.url));
const replicaMain = fileURLToPath(new URL("./replica-main.ts", import.meta.url));

/** An invocation that the ledger keeps. */
export interface Kept {
  id: string;
  function: string;
  headers: Record<string, string>;
  body: string;
  position?: { first: number; last: number };
  /** What its position counts. */
  source?: string;
}

/** Broker, ledger process and registry, for one test file. */
export interface Platform {
  nats: NatsServer;
  bus: Bus;
  registry: Registry;
  triggers: Triggers;
  createFunction(name: string, topics?: string): Promise<FunctionDefinition>;
  createTrigger<T extends Trigger>(trigger: Pick<T, "type" | "config"> & Partial<Trigger>): Promise<Trigger>;
  ask(question: Question): Promise<Answer>;
  /** What was accepted for the function: every frame of the log that the ledger did not drop or refuse. */
  kept(functionName: string): Promise<Kept[]>;
  giveUps(triggerName: string): Promise<GiveUp[]>;
  /** A replica of the sources in a process of its own, to be killed. */
  startReplica(): Promise<Child>;
  startLedger(variables?: Record<string, string>): Promise<Child>;
  stop(): Promise<void>;
}

export async function startPlatform(ledgerVariables: Record<string, string> = {}): Promise<Platform> {
  const nats = await startNats();
  const bus = await connectBus({ servers: nats.url, name: "test", connectTimeoutMs: 10_000 });
  const sizes = { invocations: 256 * MB, outcomes: 64 * MB, parked: 32 * MB, records: 32 * MB, bodies: 128 * MB };
  await bus.provision(platformStorage({ partitions: 1, replicas: 1, sizes }));
  const [registry, triggers] = await Promise.all([createRegistry(bus), createTriggers(bus)]);
  await registry.createSpace({ name: "test", createdAt: Date.now() });

  async function startLedger(variables: Record<string, string> = ledgerVariables): Promise<Child> {
    const [port] = await freePorts(1);
    const own = { NATS_URL: nats.url, FNBUS_OPS_PORT: String(port), FNBUS_LOG_LEVEL: "warn" };
    // One that is killed is followed soon.
    const settings = { ...own, FNBUS_LEDGER_LEASE_MS: "1000", ...variables };
    const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    return startChild("/usr/bin/env", [...assignments, process.execPath, ledgerMain]);
  }
  async function ask(question: Question): Promise<Answer> {
    for (let tried = 0; ; tried++) {
      try {
        const { data } = await bus.request(subjects.ask(0), encodeQuestion(question), { timeoutMs: 10_000 });
        return decodeAnswer(data).answer;
      } catch (error) {
        if (tried === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
  async function readFrames(): Promise<Kept[]> {
    const stream = streams.invocations(0);
    const { last } = await bus.streamState(stream);
    const kept: Kept[] = [];
    if (last === 0) return kept;
    const { promise, resolve } = Promise.withResolvers<void>();
    const reader = await bus.readLog(stream, 1, (batch) => {
      for (const { data, sequence } of batch) {
        const pack = Buffer.from(data);
        for (const { offset } of decodeInvocationPack(pack)) {
          const { meta, body } = decodeFrame(pack, offset);
          const { first, last: end } = meta.position ?? {};
          kept.push({
            ...{ id: meta.id, function: meta.function, headers: Object.fromEntries(meta.headers) },
            body: Buffer.from(body).toString("utf8"),
            ...(meta.position && { position: { first: first!, last: end! }, source: meta.position.source }),
          });
        }
        if (sequence >= last) resolve();
      }
    });
    await promise;
    await reader.stop();
    return kept;
  }

  let ledger = await startLedger();
  await ask({ ask: "totals" });
  const children: Child[] = [];
  /** What the ledger said of ids before: it does not change its mind. */
  const judged = new Map<string, boolean>();
  return {
    ...{ nats, bus, registry, triggers, ask },
    async createFunction(name, topics) {
      const now = Date.now();
      const definition: FunctionDefinition = {
        ...{ id: createId(), space: "test", name, partition: 0, status: "Running" },
        settings: {
          ...defaultSettings,
          ...{ runtime: "nodejs", handler: "index.handler", pool: "nobody" },
          ...(topics !== undefined && { options: { topics } }),
        },
        ...{ createdAt: now, updatedAt: now },
      };
      return (await registry.createFunction(definition)).definition;
    },
    async createTrigger(settings) {
      const now = Date.now();
      const id = createId(now);
      const trigger = {
        ...{ id, incarnation: createId(now), space: "test", name: `t-${id.slice(-8)}`, description: "", enabled: true },
        ...{ createdAt: now, updatedAt: now, ...settings },
      } as Trigger;
      return (await triggers.createTrigger(trigger)).trigger;
    },
    async kept(functionName) {
      const frames = (await readFrames()).filter((frame) => frame.function === functionName);
      const seen = new Map(frames.map((frame) => [frame.id, frame]));
      const kept: Kept[] = [];
      for (const frame of seen.values()) {
        if (!judged.get(frame.id)) judged.set(frame.id, (await ask({ ask: "get", space: "test", id: frame.id })).ok);
        if (judged.get(frame.id)) kept.push(frame);
      }
      return kept;
    },
    async giveUps(triggerName) {
      const answer = await ask({ ask: "give-ups", limit: 100 });
      if (!answer.ok || answer.answer !== "give-ups") throw new Error(JSON.stringify(answer));
      return answer.giveUps.filter(({ details }) => details?.trigger === triggerName);
    },
    async startReplica() {
      const child = await startChild(process.execPath, [replicaMain, nats.url]);
      children.push(child);
      await until(`the replica is up: ${child.output()}`, () => child.output().includes("replica is up"), 20_000);
      return child;
    },
    async startLedger(variables) {
      await ledger.kill();
      ledger = await startLedger(variables);
      await ask({ ask: "totals" });
      return ledger;
    },
    async stop() {
      await Promise.all(children.map((child) => child.kill()));
      await ledger.kill();
      triggers.stop();
      registry.stop();
      await bus.drain();
      await nats.stop();
    },
  };
}

/** What a replica says of a trigger; of several, the first that runs it. */
export async function askReport(platform: Platform, id: string) {
  const answer = await platform.bus.request(
    subjects.askAllSources,
    Buffer.from(JSON.stringify({ ask: "states", ids: [id] })),
    { timeoutMs: 2_000 },
  );
  const said = JSON.parse(Buffer.from(answer.data).toString("utf8"));
  return said.reports[0];
}
