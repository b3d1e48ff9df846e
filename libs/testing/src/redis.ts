import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Restartable, says, startChild, startRestartable, untilReady } from "./child.ts";
import { findBinary } from "./find-binary.ts";
import { freePorts } from "./free-port.ts";

export interface RedisOptions {
  binary?: string;
  dataDir?: string;
  port?: number;
}

export interface RedisServer extends Restartable {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
}

/** A real redis-server with the platform's settings (append-only file synced at each write, no eviction). */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? findBinary("redis-server");
  const port = options.port ?? (await freePorts(1))[0]!;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "fnbus-redis-")));
  const settings = {
    port: String(port),
    bind: "127.0.0.1",
    dir: dataDir,
    appendonly: "yes",
    appendfsync: "always",
    "maxmemory-policy": "noeviction",
    save: "",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const start = async () => {
    const started = await startChild(binary, args);
    await untilReady(started, "redis-server", () => says(port, "PING\r\n", /\+PONG/));
    return started;
  };
  const server = await startRestartable(start, async () => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  });
  // The pid changes with each start: assigned to, not spread, so that it stays a getter.
  return Object.assign(server, { url: `redis://127.0.0.1:${port}`, port, dataDir });
}
