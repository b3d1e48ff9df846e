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
 * The server program to run: what is installed, what we fetched before, else what can be fetched without root and
 * without touching the system. An old program that is present is used rather than anything fetched unasked, but a
 * better one in our cache goes first. Throws one message that says what was tried, why each failed, and what to do.
 */
export async function findServer(wanted: WantedServer, context: FindContext): Promise<FoundServer> {
  const failures: string[] = [];
  let old: FoundServer | undefined;
  for (const step of [...present, ...fetching]) {
    if (old && fetching.includes(step)) break;
    const found = await step.find(wanted, context);
    if (typeof found === "string") failures.push(`  ${step.name}: ${found}`);
    else if (isAtLeast(found.version, wanted.preferred)) return found;
    else old ??= found;
  }
  if (old) return old;
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
