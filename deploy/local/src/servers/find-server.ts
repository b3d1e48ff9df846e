import { isAtLeast } from "../core/versions.ts";
import { withDocker } from "./docker.ts";
import { fetchArchive } from "./fetch-archive.ts";
import { fetchWithApt } from "./fetch-with-apt.ts";
import { fetchWithGo } from "./fetch-with-go.ts";
import type { FindContext, FindStep, FoundServer } from "./found.ts";
import { inCache } from "./in-cache.ts";
import { onPath } from "./on-path.ts";
import type { WantedServer } from "./wanted.ts";

const present: readonly FindStep[] = [onPath, inCache];
const fetching: readonly FindStep[] = [fetchWithGo, fetchArchive, fetchWithApt, withDocker];

/**
 * A server that is here already: installed, or fetched by an earlier start; the first that is not an old one. Else the reasons, one a line.
 */
export async function findPresent(wanted: WantedServer, context: FindContext): Promise<FoundServer | string> {
  const failures: string[] = [];
  let old: FoundServer | undefined;
  for (const step of present) {
    const found = await step.find(wanted, context);
    if (typeof found === "string") failures.push(`  ${step.name}: ${found}`);
    else if (isAtLeast(found.version, wanted.preferred)) return found;
    else old ??= found;
  }
  return old ?? failures.join("\n");
}

/**
 * The server program to run: one that is here, else one that can be fetched without root and without touching the
 * system. An old one that is here is used rather than anything fetched unasked. Throws one message that says what was
 * tried, why each failed, and what to do.
 */
export async function findServer(wanted: WantedServer, context: FindContext): Promise<FoundServer> {
  const here = await findPresent(wanted, context);
  if (typeof here !== "string") return here;
  const failures = [here];
  for (const step of fetching) {
    const found = await step.find(wanted, context);
    if (typeof found !== "string") return found;
    failures.push(`  ${step.name}: ${found}`);
  }
  throw new Error(
    `No ${wanted.title} could be found or fetched.\n${failures.join("\n")}\n${adviceFor(wanted, process.platform)}`,
  );
}

/** The command that mends it on this platform. */
export function adviceFor(wanted: WantedServer, platform: string): string {
  const url = wanted.kind === "nats" ? "NATS_URL=nats://…" : "REDIS_URL=redis://…";
  const packageName = wanted.kind === "nats" ? "nats-server" : "redis-server";
  const command =
    platform === "darwin"
      ? `brew install ${wanted.homebrew}`
      : platform === "linux"
        ? `sudo apt-get install ${packageName} (or your distribution's package), or start Docker`
        : "start Docker";
  return `Install it:  ${command}\nOr point to one that runs:  ${url} npm start`;
}
