import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Child, type Restartable, startChild, startRestartable, untilReady } from "./child.ts";
import { findBinary } from "./find-binary.ts";
import { findJars, whyNoKafka } from "./kafka-jars.ts";

export interface KafkaNodeOptions {
  id: number;
  clusterId: string;
  /** Where the controllers listen: node 1's first. */
  controllers: readonly number[];
  /** Named as the listeners of Kafka are; `PLAIN` is the one by which the brokers reach each other. */
  listeners: readonly KafkaListener[];
  /** What it adds to, or puts over, the properties that all nodes have. */
  properties?: Record<string, string | number | boolean>;
  /** Further arguments of the command that formats its storage. */
  formatting?: readonly string[];
}

export interface KafkaListener {
  name: string;
  port: number;
  protocol: "PLAINTEXT" | "SASL_PLAINTEXT" | "SASL_SSL" | "SSL";
  /** Where its clients are sent on to; absent: its own address. */
  reachedAs?: { host: string; port: number } | undefined;
}

export interface KafkaNode extends Restartable {
  /** Topics, their contents, positions of groups: all live here. */
  readonly dataDir: string;
}

/** A JVM on a machine that does other things too. */
const READY_MS = 60_000;

/** 16 bytes in base64url, of which the first is a letter: a hyphen would be taken for an option. */
export function makeClusterId(): string {
  const bytes = randomBytes(16);
  bytes[0]! &= 0x3f;
  return bytes.toString("base64url");
}

function toProperties(options: KafkaNodeOptions, dataDir: string): string {
  const { id, controllers, listeners } = options;
  const own = controllers[id - 1];
  const places = listeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`);
  const reached = listeners.map(({ name, port, reachedAs }) =>
    reachedAs ? `${name}://${reachedAs.host}:${reachedAs.port}` : `${name}://127.0.0.1:${port}`,
  );
  const protocols = listeners.map(({ name, protocol }) => `${name}:${protocol}`);
  const copies = controllers.length;
  const properties = {
    "process.roles": "broker,controller",
    "node.id": id,
    "controller.quorum.voters": controllers.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(),
    listeners: [...places, `CONTROLLER://127.0.0.1:${own}`].join(),
    "advertised.listeners": reached.join(),
    "listener.security.protocol.map": [...protocols, "CONTROLLER:PLAINTEXT"].join(),
    "inter.broker.listener.name": "PLAIN",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": join(dataDir, "logs"),
    "offsets.topic.replication.factor": copies,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": copies,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "auto.create.topics.enable": false,
    "message.max.bytes": 32 * 1024 * 1024,
    ...options.properties,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** One process of a real Apache Kafka: broker and controller (KRaft) on 127.0.0.1. It ends with this process. */
export async function startKafkaNode(options: KafkaNodeOptions): Promise<KafkaNode> {
  const reason = whyNoKafka();
  if (reason !== undefined) throw new Error(reason);
  const classes = join(findJars(), "*");
  const java = findBinary("java");
  const dataDir = mkdtempSync(join(tmpdir(), "fnbus-kafka-"));
  const properties = join(dataDir, "server.properties");
  writeFileSync(properties, toProperties(options, dataDir));
  const format = ["kafka.tools.StorageTool", "format", "-t", options.clusterId, "-c", properties];
  const arguments_ = [...format, ...(options.formatting ?? [])];
  await promisify(execFile)(java, ["-XX:TieredStopAtLevel=1", "-cp", classes, ...arguments_]);
  const start = async (): Promise<Child> => {
    const child = await startChild(java, ["-Xmx512m", "-cp", classes, "kafka.Kafka", properties]);
    await untilReady(child, "Kafka", async () => child.output().includes("Kafka Server started"), READY_MS);
    return child;
  };
  const node = await startRestartable(start, async () => rmSync(dataDir, { recursive: true, force: true }));
  return Object.assign(node, { dataDir });
}
