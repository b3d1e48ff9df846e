import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, type Restartable, startChild, startRestartable, untilReady } from "./child.ts";
import { findBinaries, findBinary } from "./find-binary.ts";
import { freePorts } from "./free-port.ts";

export interface KafkaOptions {
  /** Where clients of `outsidePort` are sent on to: a relay that others reach it by. */
  reachedAs?: { host: string; port: number };
  /** PEM. With it `saslBroker` speaks TLS. */
  tls?: { certificate: string; key: string };
}

export interface KafkaServer extends Restartable {
  /** "127.0.0.1:port": without credentials. */
  readonly broker: string;
  /** The same broker for who knows a user and password, by SASL PLAIN. */
  readonly saslBroker: string;
  /** Listens without credentials too, and names itself as `reachedAs` says. */
  readonly outsidePort: number;
  readonly user: { name: string; password: string };
  /** Topics, their contents, positions of groups: all live here. */
  readonly dataDir: string;
}

const VERSION = "4.1.0";
/** A JVM on a machine that does other things too. */
const READY_MS = 60_000;
const MAVEN_MS = 300_000;

const folder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "fnbus-test", `kafka-${VERSION}`);

/** Why no Kafka can be started on this machine; undefined: it can. */
export function whyNoKafka(): string | undefined {
  if (findBinaries("java").length === 0) return "java was not found (Debian: default-jdk-headless)";
  if (!existsSync(folder()) && findBinaries("mvn").length === 0) return "mvn was not found (Debian: maven)";
  return undefined;
}

const dependency = (group: string, artifact: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;

/** Apache Kafka's own jars, from Maven Central the first time. */
function findJars(): string {
  const jars = folder();
  if (existsSync(jars)) return jars;
  mkdirSync(join(jars, ".."), { recursive: true });
  const work = mkdtempSync(`${jars}-`);
  const kafka = ["kafka_2.13", "kafka-server", "kafka-tools"].map((name) =>
    dependency("org.apache.kafka", name, VERSION),
  );
  writeFileSync(
    join(work, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>fnbus</groupId>
<artifactId>kafka</artifactId><version>1</version>
<dependencies>${kafka.join("")}${dependency("org.slf4j", "slf4j-simple", "1.7.36")}</dependencies></project>`,
  );
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${join(work, "jars")}`];
  execFileSync(findBinary("mvn"), ["-q", "-B", ...goal], { cwd: work, timeout: MAVEN_MS, stdio: "pipe" });
  try {
    renameSync(join(work, "jars"), jars);
  } catch (error) {
    // Another test's process was faster.
    if (!existsSync(jars)) throw error;
  }
  rmSync(work, { recursive: true, force: true });
  return jars;
}

function toProperties(
  ports: number[],
  dataDir: string,
  user: KafkaServer["user"],
  { tls, reachedAs = { host: "127.0.0.1", port: ports[3]! } }: KafkaOptions,
): string {
  const [plain, sasl, controller, outside] = ports;
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user.name}="${user.password}";`;
  const protocols = `PLAIN:PLAINTEXT,OUTSIDE:PLAINTEXT,LOGIN:${tls ? "SASL_SSL" : "SASL_PLAINTEXT"},CONTROLLER:PLAINTEXT`;
  const own = `PLAIN://127.0.0.1:${plain},LOGIN://127.0.0.1:${sasl}`;
  const properties = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: `${own},OUTSIDE://127.0.0.1:${outside},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": `${own},OUTSIDE://${reachedAs.host}:${reachedAs.port}`,
    "listener.security.protocol.map": protocols,
    "inter.broker.listener.name": "PLAIN",
    "controller.listener.names": "CONTROLLER",
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.login.plain.sasl.jaas.config": login,
    ...(tls && {
      "listener.name.login.ssl.keystore.type": "PEM",
      "listener.name.login.ssl.keystore.certificate.chain": tls.certificate.replaceAll("\n", "\\n"),
      "listener.name.login.ssl.keystore.key": tls.key.replaceAll("\n", "\\n"),
    }),
    "log.dirs": join(dataDir, "logs"),
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "auto.create.topics.enable": false,
    "message.max.bytes": 32 * 1024 * 1024,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** A real Apache Kafka: one node, broker and controller (KRaft), on free ports of 127.0.0.1. It ends with this process. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const reason = whyNoKafka();
  if (reason !== undefined) throw new Error(reason);
  const classes = join(findJars(), "*");
  const java = findBinary("java");
  const dataDir = mkdtempSync(join(tmpdir(), "fnbus-kafka-"));
  const user = { name: "reader", password: randomUUID() };
  const ports = await freePorts(4);
  const properties = join(dataDir, "server.properties");
  writeFileSync(properties, toProperties(ports, dataDir, user, options));
  const id = Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64url");
  const format = ["kafka.tools.StorageTool", "format", "-t", id, "-c", properties];
  execFileSync(java, ["-XX:TieredStopAtLevel=1", "-cp", classes, ...format], { stdio: "pipe" });
  const start = async (): Promise<Child> => {
    const child = await startChild(java, ["-Xmx512m", "-cp", classes, "kafka.Kafka", properties]);
    await untilReady(child, "Kafka", async () => child.output().includes("Kafka Server started"), READY_MS);
    return child;
  };
  const server = await startRestartable(start, async () => rmSync(dataDir, { recursive: true, force: true }));
  const [plain, sasl] = ports.map((port) => `127.0.0.1:${port}`);
  return Object.assign(server, { broker: plain!, saslBroker: sasl!, outsidePort: ports[3]!, user, dataDir });
}
