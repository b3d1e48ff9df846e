import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Variables } from "@fnbus/config";
import { type LocalConfig, stateFolderOf } from "./config.ts";
import { type ServiceName, serviceNames } from "./core/services.ts";
import { toSummary } from "./core/summary.ts";
import { openDataFolder } from "./data/folder.ts";
import { freeOr, isFree } from "./data/ports.ts";
import { awaitRemnants } from "./data/remnants.ts";
import { createOutput } from "./output.ts";
import { prepareBus } from "./prepare-bus.ts";
import { isPresent, planService } from "./service-specs.ts";
import { planServers } from "./start-servers.ts";
import { createSupervisor } from "./supervisor.ts";

export interface Platform {
  /** Stops intake first, the servers last. */
  stop(): Promise<void>;
  killAll(): void;
}

/**
 * The whole platform on this machine: finds or fetches the servers, starts and provisions them, starts the services,
 * and says where everything is. Throws an error whose message is for a person; nothing is left running then.
 */
export async function startPlatform(
  config: LocalConfig,
  only: readonly ServiceName[],
  variables: Variables,
  stream: NodeJS.WriteStream,
): Promise<Platform> {
  const startedAt = performance.now();
  const output = createOutput(stream, config.FNBUS_LOG_FORMAT, ["nats", "redis", ...serviceNames]);
  const data = openDataFolder(config.FNBUS_DATA_DIR);
  const supervisor = createSupervisor(data, output);
  const stop = async () => {
    output.showAll(false);
    await supervisor.stop([...serviceNames.map((name) => [name]), ["redis"], ["nats"]]);
    data.remove("platform.json");
    data.release();
  };
  try {
    await awaitRemnants(data);
    const names = only.filter(isPresent);
    if (names.includes("gateway") && !(await isFree(config.FNBUS_PORT, config.FNBUS_HOST)))
      throw new Error(
        `Port ${config.FNBUS_PORT} of ${config.FNBUS_HOST} is taken. Choose another: npm start -- --port ${await freeOr(
          config.FNBUS_PORT + 10,
          config.FNBUS_HOST,
        )}`,
      );
    const servers = await planServers(data, config, variables, names.includes("callback-dispatcher"), output.say);
    await supervisor.start(servers.specs);
    const adminKey = await prepareBus(servers, data);
    const wanted = config.FNBUS_INGEST_PORT === config.FNBUS_PORT ? 0 : config.FNBUS_INGEST_PORT;
    const ingestPort = await freeOr(wanted, config.FNBUS_HOST);
    const specs = await Promise.all(
      names.map((name) => planService(name, data, config, servers, ingestPort, variables)),
    );
    await supervisor.start(specs);

    const url = `http://${config.FNBUS_HOST}:${config.FNBUS_PORT}`;
    const eventsUrl = names.includes("event-ingest") ? `http://${config.FNBUS_HOST}:${ingestPort}` : undefined;
    data.writeJson("platform.json", {
      ...{ url, eventsUrl },
      pid: process.pid,
      adminKeyFile: adminKey,
      dataFolder: data.path,
      ops: Object.fromEntries(specs.map(({ name, opsPort }) => [name, opsPort])),
    });
    noteForCli(stateFolderOf(variables), data.path);
    for (const line of toSummary({
      url,
      seconds: (performance.now() - startedAt) / 1000,
      nats: servers.nats.text,
      redis: servers.redis?.text,
      degraded: servers.degraded,
      services: names,
      eventsUrl,
      dataFolder: data.path,
      keyFile: adminKey,
    }))
      output.say(line);
    output.showAll(true);
    return { stop, killAll: supervisor.killAll };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A convenience: the platform runs without it. */
function noteForCli(folder: string, dataFolder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, "platform"), `${dataFolder}\n`, { mode: 0o600 });
  } catch {
    // A home that cannot be written to.
  }
}
