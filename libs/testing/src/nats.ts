import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, type Restartable, says, startChild, startRestartable, untilReady } from "./child.ts";
import { findBinary } from "./find-binary.ts";
import { freePorts } from "./free-port.ts";

export interface NatsOptions {
  /** Path of the server program; absent: the newest that is found. */
  binary?: string;
  /** fsync before every acknowledgement, where the server can (2.10 and newer). Default: true. */
  syncAlways?: boolean;
  /** Kept when it is given; absent: a temporary folder that `stop` removes. */
  dataDir?: string;
  port?: number;
  maxPayload?: string;
  /** JetStream's limit of its files, as NATS writes sizes. */
  maxFileStore?: string;
  /** The one user whom the server lets in, and what it may publish to; absent: everybody, everything. */
  user?: { name: string; password: string; mayPublish?: string[] };
  cluster?: { name: string; port: number; routes: number[] };
  /** Where its listener for MQTT 3.1.1 is; absent: none. */
  mqttPort?: number;
}

export interface NatsServer extends Restartable {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly version: string;
}

const versionOf = (binary: string): string =>
  /v(\d+\.\d+\.\d+)/.exec(execFileSync(binary, ["--version"], { encoding: "utf8" }))?.[1] ?? "0.0.0";

/** 2.9 refuses the field (it is a fault of the whole file there). */
const knowsSyncInterval = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 10);
};

function toConfig(options: NatsOptions, version: string, port: number, dataDir: string): string {
  const { syncAlways = true, maxPayload = "8MB", maxFileStore = "10GB", user, cluster, mqttPort } = options;
  const sync = syncAlways && knowsSyncInterval(version) ? "sync_interval: always" : "";
  const lines = [
    `host: 127.0.0.1`,
    `port: ${port}`,
    `server_name: "n${port}"`,
    `max_payload: ${maxPayload}`,
    `jetstream { store_dir: ${JSON.stringify(dataDir)}, max_file_store: ${maxFileStore}, ${sync} }`,
  ];
  if (user) {
    const { name, password, mayPublish } = user;
    const permissions = mayPublish ? { permissions: { publish: mayPublish } } : {};
    // JSON is a form of NATS' own configuration language.
    lines.push(`authorization { users: ${JSON.stringify([{ user: name, password, ...permissions }])} }`);
  }
  if (cluster) {
    const routes = cluster.routes.map((route) => `"nats://127.0.0.1:${route}"`).join(", ");
    lines.push(`cluster { name: ${cluster.name}, host: 127.0.0.1, port: ${cluster.port}, routes: [${routes}] }`);
  }
  if (mqttPort !== undefined) lines.push(`mqtt { host: 127.0.0.1, port: ${mqttPort} }`);
  return `${lines.join("\n")}\n`;
}

/** A real nats-server with JetStream on a free port of 127.0.0.1. It ends with this process. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const binary = options.binary ?? findBinary("nats-server");
  const version = versionOf(binary);
  const port = options.port ?? (await freePorts(1))[0]!;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "fnbus-nats-")));
  const config = join(dataDir, "nats.conf");
  await writeFile(config, toConfig(options, version, port, join(dataDir, "jetstream")));
  const start = async (): Promise<Child> => {
    const started = await startChild(binary, ["-c", config]);
    await untilReady(started, "nats-server", () => says(port, "PING\r\n", /INFO .*"jetstream":true/s));
    return started;
  };
  const server = await startRestartable(start, async () => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  });
  // The pid changes with each start: assigned to, not spread, so that it stays a getter.
  return Object.assign(server, {
    url: `nats://127.0.0.1:${port}`,
    port,
    dataDir,
    version,
  });
}

export interface NatsCluster {
  /** All members' URLs, comma-separated. */
  readonly url: string;
  readonly members: readonly NatsServer[];
  stop(): Promise<void>;
}

/** A cluster of `size` servers. Its JetStream may still be electing its leader: retry what is refused at first. */
export async function startNatsCluster(size: number, options: Omit<NatsOptions, "cluster"> = {}): Promise<NatsCluster> {
  const routes = await freePorts(size);
  const name = `c${routes[0]}`;
  const members = await Promise.all(routes.map((port) => startNats({ ...options, cluster: { name, port, routes } })));
  return {
    url: members.map(({ url }) => url).join(","),
    members,
    stop: async () => {
      await Promise.all(members.map((member) => member.stop()));
    },
  };
}
