import { setTimeout } from "node:timers/promises";
import { type Bus, connectBus } from "@fnbus/bus";
import { readConfig } from "@fnbus/config";
import {
  createId,
  decodeEntryPack,
  decodeFrame,
  decodeInvocationPack,
  defaultSettings,
  type Envelope,
  type FunctionDefinition,
  type FunctionSettings,
  type GiveUp,
  platformStorage,
  type SourcesAnswer,
  streams,
  subjects,
  type TriggerReport,
} from "@fnbus/contract";
import { createRegistry, createTriggers, type Registry, type Triggers } from "@fnbus/registry";
import type { RunningService } from "@fnbus/service";
import { createLogger, createMetrics, createTracing } from "@fnbus/telemetry";
import { type NatsServer, startNats, until } from "@fnbus/testing";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { startMqttBridge } from "../src/app.ts";
import { Config } from "../src/config.ts";
import type { MqttTrigger } from "../src/core/subscriptions.ts";

const SPACE = "plant";
const MB = 1024 * 1024;
/** A busy machine may take so long to bring the first answer. */
const ANSWER_MS = 1_000;

/** NATS, the platform's streams and definitions: what a bridge needs, and what reads what it published. */
export interface Platform {
  nats: NatsServer;
  bus: Bus;
  triggers: Triggers;
  variables(extra?: Record<string, string>): Record<string, string>;
  startBridge(extra?: Record<string, string>): Promise<RunningService>;
  addFunction(name: string, topics?: string, settings?: Partial<FunctionSettings>): Promise<FunctionDefinition>;
  registry: Registry;
  addTrigger(config: Partial<MqttTrigger["config"]>, more?: Partial<MqttTrigger>): Promise<MqttTrigger>;
  changeTrigger(trigger: MqttTrigger, config: Partial<MqttTrigger["config"]>): Promise<MqttTrigger>;
  /** What every replica says of the trigger. */
  reports(trigger: MqttTrigger): Promise<TriggerReport[]>;
  untilState(
    trigger: MqttTrigger,
    state: TriggerReport["state"],
    code?: string,
    replicas?: number,
  ): Promise<TriggerReport>;
  /** Everything that was accepted of the trigger, in order. */
  invocations(trigger?: MqttTrigger): Promise<Envelope[]>;
  giveUps(): Promise<GiveUp[]>;
  stop(): Promise<void>;
}

export async function startPlatform(): Promise<Platform> {
  const nats = await startNats();
  const bus = await connectBus({ servers: nats.url, name: "gateway" });
  await bus.provision(platformStorage({ partitions: 1, replicas: 1, sizes: { invocations: 256 * MB } }));
  const [registry, triggers] = await Promise.all([createRegistry(bus), createTriggers(bus)]);
  await registry.createSpace({ name: SPACE, description: "", createdAt: Date.now() });
  let made = 0;
  const variables = (extra: Record<string, string> = {}) => ({
    NATS_URL: nats.url,
    FNBUS_LOG_LEVEL: "silent",
    FNBUS_BROKER_ALLOW_LOOPBACK: "true",
    FNBUS_MQTT_RECONNECT_MS: "50",
    FNBUS_MQTT_LEASE_MS: "1000",
    ...extra,
  });
  const reports = async (trigger: MqttTrigger) => {
    const found: TriggerReport[] = [];
    const inbox = bus.createInbox((message) => {
      // Nobody answers: the broker says so with an empty message.
      if (message.data.length === 0) return;
      const said = JSON.parse(Buffer.from(message.data).toString()) as SourcesAnswer;
      if (said.ok && said.answer === "states") found.push(...said.reports);
    });
    bus.publish(subjects.askAllSources, Buffer.from(JSON.stringify({ ask: "states", ids: [trigger.id] })), {
      reply: inbox.subject,
    });
    // However many replicas there are: a moment after the first of them.
    await until("a replica says how it is", () => found.length > 0, ANSWER_MS).catch(() => undefined);
    await setTimeout(50);
    inbox.close();
    return found;
  };
  return {
    ...{ nats, bus, registry, triggers, variables, reports },
    async startBridge(extra) {
      const config = readConfig(Config, variables(extra));
      const own = await connectBus({ servers: nats.url, name: "mqtt-bridge" });
      const running = await startMqttBridge({
        name: "mqtt-bridge",
        config,
        bus: own,
        logger: createLogger("mqtt-bridge", config.FNBUS_LOG_LEVEL),
        metrics: createMetrics("mqtt-bridge"),
        tracing: await createTracing("mqtt-bridge"),
      });
      return {
        ...running,
        async stop() {
          await running.stop();
          await own.drain();
        },
      };
    },
    async addFunction(name, topics, settings = {}) {
      const options = topics === undefined ? {} : { topics };
      const definition: FunctionDefinition = {
        ...{ id: createId(), space: SPACE, name, partition: 0, status: "Running" },
        ...{ createdAt: Date.now(), updatedAt: Date.now() },
        settings: {
          ...{ ...defaultSettings, runtime: "nodejs", handler: "index.handler", style: "request", options },
          ...settings,
        },
      };
      return (await registry.createFunction(definition)).definition;
    },
    async addTrigger(config, more = {}) {
      const trigger = {
        ...{ id: createId(), incarnation: createId(), space: SPACE, name: `trigger-${++made}`, description: "" },
        ...{ enabled: true, createdAt: Date.now(), updatedAt: Date.now(), type: "mqtt" },
        config: { host: "127.0.0.1", topics: "#", ...config },
        ...more,
      } as MqttTrigger;
      await triggers.createTrigger(trigger);
      return trigger;
    },
    async changeTrigger(trigger, config) {
      const known = triggers.triggerById(trigger.id)!;
      const next = { ...trigger, config: { ...trigger.config, ...config } };
      await triggers.updateTrigger(next, known.revision);
      return next;
    },
    async untilState(trigger, state, code, replicas = 1) {
      let last: TriggerReport[] = [];
      try {
        await until(`${state} ${code ?? ""}`, async () => {
          last = await reports(trigger);
          return (
            last.length === replicas &&
            last.every((one) => one.state === state && (code === undefined || one.error?.code === code))
          );
        });
      } catch (error) {
        throw new Error(`${(error as Error).message}; it is ${JSON.stringify(last)}`);
      }
      return last[0]!;
    },
    async invocations(trigger) {
      const messages = await bus.readSubject(streams.invocations(0), subjects.invocations(0), { maxMessages: 100_000 });
      return messages
        .flatMap(({ data }) => {
          const bytes = Buffer.from(data);
          return decodeInvocationPack(bytes).map((_, at, heads) =>
            decodeFrame(
              bytes,
              heads.slice(0, at).reduce((sum, head) => sum + head.bytes, 8),
            ),
          );
        })
        .filter(({ meta }) => trigger === undefined || meta.trigger === trigger.name);
    },
    async giveUps() {
      const messages = await bus.readSubject(streams.records(0), subjects.records(0), { maxMessages: 10_000 });
      return messages.flatMap(({ data }) => decodeEntryPack<unknown, GiveUp>(data).entries.map(({ meta }) => meta));
    },
    async stop() {
      triggers.stop();
      registry.stop();
      await bus.drain();
      await nats.stop();
    },
  };
}

/** A device that publishes. */
export const connectDevice = (port: number, options: IClientOptions = {}): Promise<MqttClient> =>
  mqtt.connectAsync({ host: "127.0.0.1", port, protocolVersion: 5, reconnectPeriod: 100, ...options });

export const bodiesOf = (envelopes: readonly Envelope[]): string[] =>
  envelopes.map(({ body }) => Buffer.from(body).toString());
