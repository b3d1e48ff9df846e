import type { Variables } from "@fnbus/config";
import { type BusUser, busPermissions, busUsers } from "@fnbus/contract";
import type { LocalConfig } from "./config.ts";
import { canSyncAlways } from "./core/nats-config.ts";
import type { DataFolder } from "./data/folder.ts";
import { planNats, planRedis } from "./processes/server-specs.ts";
import type { ProcessSpec } from "./processes/supervised.ts";
import { resolveServer, toFindContext } from "./servers/resolve.ts";
import { wantedNats, wantedRedis } from "./servers/wanted.ts";

/** What the platform stands on, and the processes that it must run for it. */
export interface Servers {
  nats: { url: string; text: string; credentialsOf(user: BusUser): { user: string; password: string } };
  /** Whether the broker is this folder's own, and nobody else's. */
  ownsNats: boolean;
  redis: { url: string; text: string } | undefined;
  specs: ProcessSpec[];
  degraded: string[];
}

/** How many partitions a platform on one machine has. */
export const PARTITIONS = 1;

/** Finds both servers and says how they are run. Throws one message where one cannot be found. */
export async function planServers(
  data: DataFolder,
  config: LocalConfig,
  variables: Variables,
  needsRedis: boolean,
  progress: (line: string) => void,
): Promise<Servers> {
  const context = toFindContext(config, variables, progress);
  const [foundNats, foundRedis] = await Promise.all([
    resolveServer(wantedNats, config, context),
    needsRedis ? resolveServer(wantedRedis, config, context) : undefined,
  ]);
  const specs: ProcessSpec[] = [];
  const degraded: string[] = [];

  const given = { user: config.NATS_USER, password: config.NATS_PASSWORD };
  let nats: Servers["nats"] = { url: config.NATS_URL, text: "as given", credentialsOf: () => given };
  if (foundNats.how !== "given") {
    const permissions = busPermissions(PARTITIONS);
    const credentialsOf = (user: BusUser) => ({ user, password: data.secret(`nats-password-${user}`).value });
    const users = busUsers.map((user) => ({ ...credentialsOf(user), permissions: permissions[user] }));
    const plan = await planNats(data, foundNats, users, variables);
    specs.push(plan.spec);
    nats = { url: plan.url, text: `${foundNats.version} from ${foundNats.from}`, credentialsOf };
    if (!canSyncAlways(foundNats.version)) degraded.push(`NATS ${foundNats.version}: ${wantedNats.degraded}`);
  }

  let redis: Servers["redis"];
  if (foundRedis?.how === "given") redis = { url: foundRedis.url, text: "as given" };
  else if (foundRedis) {
    const plan = await planRedis(data, foundRedis, variables);
    specs.push(plan.spec);
    redis = { url: plan.url, text: `${foundRedis.version} from ${foundRedis.from}` };
  }
  return { nats, ownsNats: foundNats.how !== "given", redis, specs, degraded };
}
