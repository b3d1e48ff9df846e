import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findBinary, freePorts } from "@fnbus/testing";
import { createApi } from "./api.ts";
import { createCallbackTarget } from "./callback-target.ts";
import { runToEnd, startProcess } from "./process-member.ts";
import { ready } from "./ready.ts";
import * as servers from "./servers.ts";
import { settingsOf } from "./service-settings.ts";
import {
  journeySettings,
  type Member,
  replicasOf,
  type ServiceName,
  type Stack,
  type StackOptions,
  serviceNames,
} from "./stack.ts";
import { eventually } from "./wait.ts";

const repository = resolve(import.meta.dirname, "../..");

/** Every service, NATS and Redis as processes of this machine, on free ports, with their data in a folder of their own. */
export async function startLocalStack(options: StackOptions = {}): Promise<Stack> {
  const data = await mkdtemp(join(tmpdir(), "fnbus-stack-"));
  const [natsPort, redisPort] = await freePorts(2);
  const started: Member[] = [];
  const run = async (...args: Parameters<typeof startProcess>) => {
    const member = await startProcess(...args);
    started.push(member);
    return member;
  };
  const target = await createCallbackTarget("127.0.0.1", "127.0.0.1");
  const stop = async () => {
    for (const member of [...started].reverse()) await member.kill();
    await target.stop();
    await rm(data, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await writeFile(join(data, "nats.conf"), servers.natsConfig(`127.0.0.1:${natsPort}`, join(data, "nats"), options));
    await mkdir(join(data, "redis"));
    const broker = await run({
      name: "nats-server",
      command: findBinary("nats-server"),
      args: ["-c", join(data, "nats.conf")],
      env: servers.natsEnvironment,
    });
    const redis = await run({
      name: "redis-server",
      command: findBinary("redis-server"),
      args: servers.redisArguments(redisPort!, join(data, "redis"), options),
    });
    const environment = {
      natsUrl: `nats://127.0.0.1:${natsPort}`,
      redisUrl: `redis://:${servers.REDIS_PASSWORD}@127.0.0.1:${redisPort}`,
      callbacksTo: "127.0.0.1",
    };
    await eventually("nats-server is up", async () => (await broker.log()).includes("Server is ready"));
    const key = servers.ADMIN_KEY;
    const node = process.execPath;
    await runToEnd({
      name: "provision",
      command: node,
      args: [join(repository, "deploy/provision/src/main.ts")],
      env: { ...settingsOf("provision", environment), ...servers.provisionSettings(options) },
    });
    const members = new Map<ServiceName, Member[]>();
    const urls: string[] = [];
    const eventUrls: string[] = [];
    for (const name of serviceNames) {
      const replicas: Member[] = [];
      for (let replica = 0; replica < replicasOf(name, options); replica++) {
        const [opsPort, port] = await freePorts(2);
        const folder = join(data, `${name}-${replica}`);
        await mkdir(folder);
        if (name === "event-ingest") eventUrls.push(`http://127.0.0.1:${port}`);
        if (name === "gateway") urls.push(`http://127.0.0.1:${port}`);
        const member = await run({
          name: `${name}-${replica}`,
          command: node,
          args: [join(repository, `services/${name}/src/main.ts`)],
          opsUrl: `http://127.0.0.1:${opsPort}`,
          env: {
            ...settingsOf(name, environment),
            FNBUS_OPS_PORT: String(opsPort),
            ...(name === "executor" ? { FNBUS_EXECUTOR_FOLDER: folder } : { FNBUS_DATA_DIR: folder }),
            ...(name === "gateway" ? { FNBUS_PORT: String(port) } : {}),
            ...(name === "event-ingest" ? { FNBUS_INGEST_PORT: String(port) } : {}),
            ...journeySettings[name],
            ...options.settings?.[name],
          },
        });
        replicas.push(member);
      }
      members.set(name, replicas);
    }
    const membersOf = (name: ServiceName) => members.get(name) ?? [];
    await ready({ members: membersOf }, 60_000);
    const api = createApi(urls, key);
    return {
      kind: "processes",
      api,
      target,
      broker,
      redis: {
        ...redis,
        flush: () =>
          runToEnd({
            name: "redis-cli",
            command: "redis-cli",
            args: ["-p", String(redisPort), "-a", servers.REDIS_PASSWORD, "--no-auth-warning", "flushall"],
          }),
      },
      members: membersOf,
      eventUrls,
      host: "127.0.0.1",
      async stop() {
        await api.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
