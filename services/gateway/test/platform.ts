import { connect } from "node:net";
import type { Bus, BusCall } from "@fnbus/bus";
import { readConfig } from "@fnbus/config";
import {
  type Announcement,
  type CallReply,
  createKeyText,
  decodeInvocationPack,
  type EnvelopeMeta,
  EXECUTOR_QUEUE,
  type FrameHead,
  hashSecret,
  type LedgerAnnouncement,
  platformStorage,
  type RunResult,
  type Scope,
  streams,
  subjects,
  VERDICT_HEADER,
  type Verdict,
} from "@fnbus/contract";
import { type Access, createAccess, createRegistry, type Registry } from "@fnbus/registry";
import { createLogger, createMetrics, createTracing } from "@fnbus/telemetry";
import { connectTestBus, type NatsServer, startNats, until } from "@fnbus/testing";
import { startGateway } from "../src/app.ts";
import { GatewayConfig } from "../src/config.ts";

const MB = 1024 * 1024;

/** A gateway against a real broker. Executors and ledger are scripted by the test, over the bus. */
export interface Platform {
  url: string;
  bus: Bus;
  nats: NatsServer;
  registry: Registry;
  access: Access;
  adminKey: string;
  key(scopes: Scope[], spaces?: string[], extra?: Record<string, unknown>): Promise<string>;
  fetch(path: string, options?: RequestInit & { key?: string | null }): Promise<Response>;
  /** Makes a Running function without asking an executor. */
  deploy(name: string, settings?: Record<string, unknown>): Promise<void>;
  /** The id of a function of the space `default`, once the test's own index has heard of it. */
  registryId(name: string): Promise<string>;
  /** What /ready says against it. */
  notReady(): string[];
  stopGateway(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPlatform(variables: Record<string, string> = {}, syncAlways = false): Promise<Platform> {
  const nats = await startNats({ syncAlways });
  const bus = await connectTestBus(nats, "test");
  const sizes = { invocations: 1024 * MB, outcomes: 16 * MB, parked: 16 * MB, records: 16 * MB };
  const storage = platformStorage({ partitions: 1, replicas: 1, sizes });
  await bus.provision(storage);
  const [registry, access] = [await createRegistry(bus), await createAccess(bus)];
  await registry.createSpace({ name: "default", createdAt: Date.now() });
  const gatewayBus = await connectTestBus(nats, "gateway");
  const config = readConfig(GatewayConfig, {
    FNBUS_PORT: "0",
    FNBUS_SIGNING_SECRET: "a secret of at least 16 characters",
    FNBUS_CALLBACK_ALLOW_LOOPBACK: "true",
    NATS_URL: nats.url,
    ...variables,
  });
  const logger = createLogger("gateway", "error");
  const [metrics, tracing] = [createMetrics("gateway"), await createTracing("gateway")];
  const gateway = await startGateway({ name: "gateway", config, bus: gatewayBus, logger, metrics, tracing });

  let stopping: Promise<void> | undefined;
  const stopGateway = () => {
    stopping ??= gateway.stop();
    return stopping;
  };

  const key: Platform["key"] = async (scopes, spaces = [], extra = {}) => {
    const { id, secret, text } = createKeyText();
    const secretHash = hashSecret(secret);
    await access.putKey({ id, name: "test", kind: "key", secretHash, scopes, spaces, createdAt: Date.now(), ...extra });
    const seen = () => platformFetch("/v1/whoami", text).then((answer) => answer.status);
    const isDead = "expiresAt" in extra || "revokedAt" in extra;
    await until("the gateway knows the key", async () => isDead || (await seen()) === 200);
    return text;
  };
  const platformFetch = (path: string, withKey: string | null, options: RequestInit = {}) =>
    fetch(`${gateway.url}${path}`, {
      ...options,
      headers: { ...(withKey === null ? {} : { authorization: `Bearer ${withKey}` }), ...options.headers },
    });
  const adminKey = await key(["admin"]);
  return {
    url: gateway.url,
    ...{ bus, nats, registry, access, adminKey, key },
    fetch: (path, { key: withKey = adminKey, ...options } = {}) => platformFetch(path, withKey, options),
    async deploy(name, settings = {}) {
      const source = { files: { "index.js": "exports.handle = () => 'ok';" } };
      const made = await platformFetch("/v1/spaces/default/functions", adminKey, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name, source, ...settings }),
      });
      if (made.status !== 201) throw new Error(`deploy: ${made.status} ${await made.text()}`);
    },
    async registryId(name) {
      const found = () => registry.functionByName("default", name);
      await until(`the index has ${name}`, () => found() !== undefined);
      return found()!.definition.id;
    },
    notReady: () => gateway.notReady?.() ?? [],
    stopGateway,
    async stop() {
      await stopGateway();
      registry.stop();
      access.stop();
      await Promise.all([bus.drain(), gatewayBus.drain()]);
      await Promise.all([metrics.stop(), tracing.stop()]);
      await nats.stop();
    },
  };
}

export interface Run {
  meta: EnvelopeMeta;
  body: Buffer;
}
export type Answer = { reply: CallReply; body?: Uint8Array } | undefined;

export const result = (over: Partial<RunResult> = {}): RunResult => ({
  ...{ statusCode: 200, headers: [], startedAt: Date.now(), durationMs: 1.5, cold: false, executor: "scripted" },
  ...over,
});

/** An executor whose "user code" is a function of the test. undefined: never answers. */
export function startExecutor(
  bus: Bus,
  run: (call: Run) => Answer | Promise<Answer>,
  name = "scripted",
): { stop(): void } {
  const onCall = async (call: BusCall) => {
    const answer = await run({ meta: JSON.parse(call.head) as EnvelopeMeta, body: Buffer.from(call.body) });
    if (answer) call.answer(JSON.stringify(answer.reply), answer.body);
  };
  const all = [
    bus.answerCalls(subjects.calls("shared"), onCall, { queue: EXECUTOR_QUEUE }),
    bus.answerCalls(subjects.callAt(name), onCall),
  ];
  const announce = () => {
    if (!bus.isConnected()) return;
    const said: Announcement = {
      ...{ executor: name, pool: "shared", capacity: 10, draining: false, isolation: "process", memoryLimits: false },
      ...{ partitions: {}, warm: [], calls: {} },
    };
    bus.publish(subjects.announceExecutors, Buffer.from(JSON.stringify(said)));
  };
  announce();
  const timer = setInterval(announce, 500);
  return {
    stop() {
      clearInterval(timer);
      for (const subscription of all) subscription.unsubscribe();
    },
  };
}

export interface ScriptedLedger {
  accepted: FrameHead[];
  announcement: Partial<LedgerAnnouncement>;
  /** Verdict on a frame that asked; undefined: none. */
  judge: (head: FrameHead) => Verdict | undefined;
  stop(): Promise<void>;
}

/** A ledger that reads what was accepted, announces itself, and judges as the test says (by default as L11 does). */
export async function startLedger(bus: Bus): Promise<ScriptedLedger> {
  const seen = new Map<string, string>();
  const ledger: ScriptedLedger = {
    accepted: [],
    announcement: {},
    judge(head) {
      const known = seen.get(head.id);
      if (known === undefined) {
        seen.set(head.id, head.bodyHash);
        return { id: head.id, verdict: "new" };
      }
      return known === head.bodyHash
        ? { id: head.id, verdict: "known", state: "queued" }
        : { id: head.id, verdict: "conflict" };
    },
    async stop() {
      clearInterval(timer);
      await reader.stop();
    },
  };
  const reader = await bus.readLog(streams.invocations(0), 1, (messages) => {
    for (const message of messages) {
      const heads = decodeInvocationPack(message.data);
      ledger.accepted.push(...heads);
      const verdicts = heads.flatMap((head) => ((head.flags & 1) === 1 ? (ledger.judge(head) ?? []) : []));
      const inbox = message.header(VERDICT_HEADER);
      if (inbox && verdicts.length > 0) bus.publish(inbox, Buffer.from(JSON.stringify({ verdicts })));
    }
  });
  const announce = () => {
    if (!bus.isConnected()) return;
    const said = {
      partition: 0,
      epoch: 1,
      owner: "scripted",
      fill: 0,
      keptKeys: 0,
      full: [],
      unfinished: 0,
      accepted: 0,
      ended: 0,
    };
    bus.publish(subjects.announceLedger(0), Buffer.from(JSON.stringify({ ...said, ...ledger.announcement })));
  };
  announce();
  const timer = setInterval(announce, 200);
  return ledger;
}

/** Sends raw bytes and reads until the server ends the connection or is silent. */
export function sendRaw(url: string, text: string | Uint8Array, waitMs = 500): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    socket.setTimeout(waitMs, () => socket.destroy());
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", () => undefined);
    socket.write(text);
  });
}
