import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Variables } from "@fnbus/config";
import type { LocalConfig } from "../config.ts";
import { isAtLeast } from "../core/versions.ts";
import { adviceFor, findPresent } from "../servers/find-server.ts";
import { findProgram } from "../servers/programs.ts";
import { toFindContext } from "../servers/resolve.ts";
import { type WantedServer, wantedNats, wantedRedis } from "../servers/wanted.ts";
import type { Check } from "./examine.ts";

const run = promisify(execFile);
const DOCKER_ANSWER_MS = 3_000;

/** Which servers `npm start` would run. Nothing is fetched. */
export async function examineServers(config: LocalConfig, variables: Variables): Promise<Check[]> {
  const context = toFindContext(config, variables, () => {});
  const docker = await examineDocker(context.toolFolders);
  const servers = [wantedNats, wantedRedis].map(async (wanted): Promise<Check> => {
    const name = wanted.title;
    if (config[wanted.kind === "nats" ? "NATS_URL" : "REDIS_URL"])
      return { name, state: "ok", text: "as the environment gives it" };
    const found = await findPresent(wanted, context);
    if (typeof found === "string") return missing(wanted, config.FNBUS_OFFLINE);
    const text = `${found.version}, ${found.how === "program" ? found.command : found.image}`;
    if (isAtLeast(found.version, wanted.preferred)) return { name, state: "ok", text };
    return {
      name,
      state: "degraded",
      text: `${text}: ${wanted.degraded}`,
      fix: `install ${wanted.preferred} or newer, and it is used by itself`,
    };
  });
  return [...(await Promise.all(servers)), docker];
}

function missing(wanted: WantedServer, offline: boolean): Check {
  const fix = adviceFor(wanted, process.platform).split("\n")[0]!;
  if (offline) return { name: wanted.title, state: "failed", text: "none here, and FNBUS_OFFLINE is set", fix };
  return { name: wanted.title, state: "degraded", text: "none here: the next npm start fetches one", fix };
}

/** Only a means, so its absence is no fault. */
async function examineDocker(folders: readonly string[]): Promise<Check> {
  const docker = await findProgram("docker", folders);
  if (!docker) return { name: "Docker", state: "ok", text: "not here (not needed)" };
  const answer = await run(docker, ["version", "--format", "{{.Server.Version}}"], { timeout: DOCKER_ANSWER_MS }).then(
    ({ stdout }) => `engine ${stdout.trim()}`,
    () => "no engine answers (not needed)",
  );
  return { name: "Docker", state: "ok", text: answer };
}
