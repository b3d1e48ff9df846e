import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Variables } from "@fnbus/config";
import { cacheFolderOf, type LocalConfig } from "./config.ts";
import { DRAIN_MS, passedOn, type ServiceName, serviceVariables } from "./core/services.ts";
import type { DataFolder } from "./data/folder.ts";
import { freePort } from "./data/ports.ts";
import { markerOf } from "./data/remnants.ts";
import { serviceIsReady } from "./processes/answers.ts";
import type { ProcessSpec } from "./processes/supervised.ts";
import type { Servers } from "./start-servers.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const LOOPBACK = "127.0.0.1";
/** Names of callback hosts are resolved on these threads: of Node's four, four names that hang would stop all others. */
const UV_THREADPOOL_SIZE = "32";

const mainOf = (name: ServiceName): string => join(root, "services", name, "src", "main.ts");

/** Whether the service is in this checkout. */
export const isPresent = (name: ServiceName): boolean => existsSync(mainOf(name));

/** How one service is run: a process of its own, told everything by its environment. */
export async function planService(
  name: ServiceName,
  data: DataFolder,
  config: LocalConfig,
  servers: Servers,
  ingestPort: number,
  variables: Variables,
): Promise<ProcessSpec & { opsPort: number }> {
  const opsPort = await freePort(LOOPBACK);
  const { PATH, HOME, TZ, LANG } = variables;
  const credentials = servers.nats.credentialsOf(name);
  return {
    name,
    opsPort,
    command: process.execPath,
    args: ["--disable-warning=ExperimentalWarning", mainOf(name)],
    env: {
      ...{ PATH, HOME, TZ, LANG },
      ...passedOn(variables),
      UV_THREADPOOL_SIZE,
      // Compiled code is kept between starts and data folders: half of what a start takes.
      NODE_COMPILE_CACHE: join(cacheFolderOf(config, variables), "compiled"),
      ...serviceVariables(name, {
        host: config.FNBUS_HOST,
        port: config.FNBUS_PORT,
        ingestPort,
        opsPort,
        dataFolder: data.folder(name),
        natsUrl: servers.nats.url,
        natsUser: credentials.user,
        natsPassword: credentials.password,
        redisUrl: servers.redis?.url ?? "",
        signingSecretFile: data.secret("signing-secret").file,
        logLevel: config.FNBUS_LOG_LEVEL,
      }),
    },
    marker: markerOf(data, name),
    isReady: () => serviceIsReady(LOOPBACK, opsPort),
    patienceMs: DRAIN_MS + 2_000,
  };
}
