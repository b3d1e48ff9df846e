import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Variables } from "@fnbus/config";
import { type NatsUser, toNatsConfig } from "../core/nats-config.ts";
import { toRedisConfig } from "../core/redis-config.ts";
import type { DataFolder } from "../data/folder.ts";
import { rememberedPort } from "../data/ports.ts";
import { markerOf } from "../data/remnants.ts";
import type { FoundServer } from "../servers/found.ts";
import { readNatsInfo, redisAnswers } from "./answers.ts";
import type { ProcessSpec } from "./supervised.ts";

const run = promisify(execFile);
const LOOPBACK = "127.0.0.1";
/** Long enough to close a large store; both have everything on disk already. */
const PATIENCE_MS = 5_000;

/**
 * Go's own 100 lets a broker of a few megabytes collect garbage all the time: a twentieth of the rate of synchronous calls
 * (measured). With more, the fresh memory that stored messages then touch costs more than the collections did.
 */
const NATS_GARBAGE_PERCENT = "200";

export interface ServerPlan {
  url: string;
  port: number;
  spec: ProcessSpec;
}

/** Names what belongs to one data folder where others see it, without telling the folder. */
const shortHash = (path: string): string => createHash("sha256").update(path).digest("hex").slice(0, 12);

/** How our own NATS server is run: configuration written, port chosen. */
export async function planNats(
  data: DataFolder,
  found: FoundServer,
  users: NatsUser[],
  variables: Variables,
): Promise<ServerPlan> {
  await removeContainer(data, found, "nats", variables);
  const port = await rememberedPort(data, "nats", LOOPBACK);
  const folder = data.folder("nats");
  const serverName = `fnbus-${shortHash(data.path)}`;
  const file = join(folder, "nats.conf");
  const config = toNatsConfig({
    serverName,
    host: listenHost(found),
    port,
    storeFolder: join(folder, "store"),
    version: found.version,
    users,
  });
  writeFileSync(file, config, { mode: 0o600 });
  return {
    url: `nats://${LOOPBACK}:${port}`,
    port,
    spec: {
      name: "nats",
      ...commandOf(found, "nats", data, folder, port, ["-c", file], variables, {
        GOGC: variables.GOGC ?? NATS_GARBAGE_PERCENT,
      }),
      marker: markerOf(data, "nats"),
      isReady: async () => (await readNatsInfo(LOOPBACK, port))?.server_name === serverName,
      patienceMs: PATIENCE_MS,
    },
  };
}

/** How our own Redis is run. */
export async function planRedis(data: DataFolder, found: FoundServer, variables: Variables): Promise<ServerPlan> {
  await removeContainer(data, found, "redis", variables);
  const port = await rememberedPort(data, "redis", LOOPBACK);
  const folder = data.folder("redis");
  const password = data.secret("redis-password").value;
  const file = join(folder, "redis.conf");
  writeFileSync(file, toRedisConfig({ host: listenHost(found), port, folder, password }), { mode: 0o600 });
  return {
    url: `redis://:${password}@${LOOPBACK}:${port}/0`,
    port,
    spec: {
      name: "redis",
      ...commandOf(found, "redis", data, folder, port, [file], variables),
      marker: markerOf(data, "redis"),
      isReady: () => redisAnswers(LOOPBACK, port, password),
      patienceMs: PATIENCE_MS,
    },
  };
}

const containerOf = (data: DataFolder, kind: string): string => `fnbus-${shortHash(data.path)}-${kind}`;

/** A container outlives a docker client that was killed. What an earlier start left has the port, and would pass for ours. */
async function removeContainer(data: DataFolder, found: FoundServer, kind: string, variables: Variables) {
  if (found.how !== "image") return;
  await run(found.docker, ["rm", "-f", containerOf(data, kind)], { env: baseEnv(variables) }).catch(() => {});
}

/** In a container every interface is the container's own; Docker publishes the port on loopback alone. */
const listenHost = (found: FoundServer): string => (found.how === "image" ? "0.0.0.0" : LOOPBACK);

function commandOf(
  found: FoundServer,
  kind: string,
  data: DataFolder,
  folder: string,
  port: number,
  args: string[],
  variables: Variables,
  settings: Record<string, string> = {},
): Pick<ProcessSpec, "command" | "args" | "env"> {
  if (found.how === "program")
    return { command: found.command, args, env: { ...baseEnv(variables), ...settings, ...found.env } };
  const user = process.getuid && process.getgid ? ["--user", `${process.getuid()}:${process.getgid()}`] : [];
  const name = containerOf(data, kind);
  return {
    command: "/bin/sh",
    args: [
      "-c",
      // The supervisor starts it again when its docker client has died: the container is there still.
      `"$0" rm -f ${name} >/dev/null 2>&1; exec "$0" run --rm --init --name ${name} "$@"`,
      found.docker,
      ...["-p", `${LOOPBACK}:${port}:${port}`, "-v", `${folder}:${folder}`, ...user],
      ...Object.entries(settings).flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      ...["--entrypoint", found.command, found.image, ...args],
    ],
    env: baseEnv(variables),
  };
}

/** Servers get no more of our environment than programs need to run. */
const baseEnv = ({ PATH, HOME, TZ, DOCKER_HOST }: Variables) => ({ PATH, HOME, TZ, DOCKER_HOST });
