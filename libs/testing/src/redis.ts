import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { says, startChild, untilReady } from "./child.ts";
import { findBinary } from "./find-binary.ts";
import { freePorts } from "./free-port.ts";

export interface RedisOptions {
  binary?: string;
  dataDir?: string;
  port?: number;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
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
  let child = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dataDir,
    get pid() {
      return child.pid;
    },
    kill: () => child.kill(),
    async restart() {
      await child.kill();
      child = await start();
    },
    freeze: () => child.freeze(),
    thaw: () => child.thaw(),
    async stop() {
      await child.stop();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
