import { resolve } from "node:path";
import { freePorts } from "@fnbus/testing";
import { GenericContainer, Network, type StartedTestContainer, Wait } from "testcontainers";
import { createApi } from "./api.ts";
import { createCallbackTarget } from "./callback-target.ts";
import { toMember } from "./container-member.ts";
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

const IMAGE = "fnbus-journeys:latest";
const NATS_IMAGE = "nats:2.15-alpine";
const REDIS_IMAGE = "redis:7-bookworm";
/** Under this name containers reach the process that runs the journeys. */
const HOST = "host.docker.internal";
const OPS_PORT = 9090;
const HTTP_PORT = 8080;
const INGEST_PORT = 8081;

/** The image of the services, from this repository. Once a run. */
export const buildImage = async (): Promise<void> => {
  const repository = resolve(import.meta.dirname, "../..");
  await GenericContainer.fromDockerfile(repository, "deploy/docker/Dockerfile").build(IMAGE, { deleteOnExit: false });
};

/** The same stack as containers on a network of their own: the services' image, NATS and Redis. */
export async function startContainerStack(options: StackOptions = {}): Promise<Stack> {
  const network = await new Network().start();
  const target = await createCallbackTarget("0.0.0.0", HOST);
  const started: StartedTestContainer[] = [];
  const run = async (container: GenericContainer) => {
    const running = await container.withNetwork(network).start();
    started.push(running);
    return running;
  };
  const stop = async () => {
    await Promise.all(started.map((container) => container.stop({ timeout: 0 }).catch(() => undefined)));
    await target.stop();
    await network.stop().catch(() => undefined);
  };
  try {
    const [nats, redis] = await Promise.all([
      run(
        new GenericContainer(NATS_IMAGE)
          .withNetworkAliases("nats")
          .withEnvironment(servers.natsEnvironment)
          .withCopyContentToContainer([{ content: servers.natsConfig("0.0.0.0:4222", "/data"), target: "/nats.conf" }])
          .withCommand(["-c", "/nats.conf"])
          .withWaitStrategy(Wait.forLogMessage(/Server is ready/)),
      ),
      run(
        new GenericContainer(REDIS_IMAGE)
          .withNetworkAliases("redis")
          .withCommand(["redis-server", ...servers.redisArguments(6379, "/tmp")])
          .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/)),
      ),
    ]);
    const environment = {
      natsUrl: "nats://nats:4222",
      redisUrl: `redis://:${servers.REDIS_PASSWORD}@redis:6379`,
      callbacksTo: HOST,
    };
    await run(
      new GenericContainer(IMAGE)
        .withCommand(["deploy/provision/src/main.ts"])
        .withEnvironment({ ...settingsOf("provision", environment), ...servers.provisionSettings(options) })
        .withWaitStrategy(Wait.forOneShotStartup()),
    );
    const members = new Map<ServiceName, Member[]>();
    const urls: string[] = [];
    const eventUrls: string[] = [];
    const startService = async (name: ServiceName, replica: number): Promise<Member> => {
      const [opsPort, port] = (await freePorts(2)) as [number, number];
      if (name === "event-ingest") eventUrls[replica] = `http://127.0.0.1:${port}`;
      if (name === "gateway") urls[replica] = `http://127.0.0.1:${port}`;
      const ports = [{ container: OPS_PORT, host: opsPort }];
      if (name === "gateway") ports.push({ container: HTTP_PORT, host: port });
      if (name === "event-ingest") ports.push({ container: INGEST_PORT, host: port });
      const container = new GenericContainer(IMAGE)
        .withCommand([`services/${name}/src/main.ts`])
        .withNetworkAliases(`${name}-${replica}`)
        .withExtraHosts([{ host: HOST, ipAddress: "host-gateway" }])
        .withExposedPorts(...ports)
        .withEnvironment({ ...settingsOf(name, environment), ...journeySettings[name], ...options.settings?.[name] })
        .withWaitStrategy(Wait.forLogMessage(/./));
      return toMember(`${name}-${replica}`, await run(container), `http://127.0.0.1:${opsPort}`);
    };
    for (const name of serviceNames) {
      const replicas = Array.from({ length: replicasOf(name, options) }, (_, replica) => startService(name, replica));
      members.set(name, await Promise.all(replicas));
    }
    const membersOf = (name: ServiceName) => members.get(name) ?? [];
    await ready({ members: membersOf }, 60_000);
    const api = createApi(urls, servers.ADMIN_KEY);
    return {
      kind: "containers",
      api,
      target,
      broker: await toMember("nats", nats),
      redis: {
        ...(await toMember("redis", redis)),
        async flush() {
          const { exitCode, output } = await redis.exec([
            ...["redis-cli", "-a", servers.REDIS_PASSWORD, "--no-auth-warning", "flushall"],
          ]);
          if (exitCode !== 0) throw new Error(`flushall: ${output}`);
        },
      },
      members: membersOf,
      eventUrls,
      host: HOST,
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
