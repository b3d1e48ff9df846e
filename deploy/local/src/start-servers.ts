import type { Variables } from "@fnbus/config";
import type { LocalConfig } from "./config.ts";
import { canSyncAlways } from "./core/nats-config.ts";
import type { DataFolder } from "./data/folder.ts";
import { planNats, planRedis } from "./processes/server-specs.ts";
import type { ProcessSpec } from "./processes/supervised.ts";
import { resolveServer, toFindContext } from "./servers/resolve.ts";
import { wantedNats, wantedRedis } from "./servers/wanted.ts";

/** What the platform stands on, and the processes that it must run for it. */
export interface Servers {
  nats: { url: string; user: string; password: string; text: string };
  redis: { url: string; text: string } | undefined;
  specs: ProcessSpec[];
  degraded: string[];
}

const NATS_USER = "platform";

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

  let nats = { url: config.NATS_URL, user: config.NATS_USER, password: config.NATS_PASSWORD, text: "as given" };
  if (foundNats.how !== "given") {
    const password = data.secret("nats-password").value;
    const plan = await planNats(data, foundNats, [{ user: NATS_USER, password }], variables);
    specs.push(plan.spec);
    nats = { url: plan.url, user: NATS_USER, password, text: `${foundNats.version} from ${foundNats.from}` };
    if (!canSyncAlways(foundNats.version)) degraded.push(`NATS ${foundNats.version}: ${wantedNats.degraded}`);
  }

  let redis: Servers["redis"];
  if (foundRedis?.how === "given") redis = { url: foundRedis.url, text: "as given" };
  else if (foundRedis) {
    const plan = await planRedis(data, foundRedis, variables);
    specs.push(plan.spec);
    redis = { url: plan.url, text: `${foundRedis.version} from ${foundRedis.from}` };
  }
  return { nats, redis, specs, degraded };
}
