import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { isAtLeast, readVersion } from "../core/versions.ts";
import type { FoundServer } from "./found.ts";
import type { WantedServer } from "./wanted.ts";

const run = promisify(execFile);
const VERSION_TIMEOUT_MS = 5_000;

/** Where Debian and Homebrew put server programs that a user's PATH leaves out, and where `go install` puts its own. */
export const extraFolders = (home: string): string[] => [
  "/usr/sbin",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/opt/homebrew/bin",
  join(home, "go", "bin"),
];

export const foldersOf = (path: string | undefined): string[] => (path ?? "").split(delimiter).filter(Boolean);

/** First file of that name that we may run. */
export async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of new Set(folders)) {
    const path = join(folder, name);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return undefined;
}

/** Asks a program for its version. Undefined: it does not run, or does not say. */
export async function askVersion(command: string, env: Record<string, string> = {}): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(command, ["--version"], {
      timeout: VERSION_TIMEOUT_MS,
      env: { ...process.env, ...env },
    });
    return readVersion(`${stdout}${stderr}`);
  } catch {
    return undefined;
  }
}

/** The newest program among `folders` that is new enough, or why there is none. */
export async function findNewest(
  wanted: WantedServer,
  folders: readonly string[],
  from: string,
  env: Record<string, string> = {},
): Promise<FoundServer | string> {
  const seen: { command: string; version: string }[] = [];
  const silent: string[] = [];
  for (const name of wanted.commands) {
    for (const folder of new Set(folders)) {
      const command = await findProgram(name, [folder]);
      if (!command) continue;
      const version = await askVersion(command, env);
      if (version) seen.push({ command, version });
      else silent.push(command);
    }
  }
  const best = seen.reduce<(typeof seen)[number] | undefined>(
    (newest, next) => (newest && isAtLeast(newest.version, next.version) ? newest : next),
    undefined,
  );
  if (best && isAtLeast(best.version, wanted.minimum)) return { how: "program", ...best, env, from };
  if (best) return `${best.command} is ${best.version}, and ${wanted.minimum} is the oldest that will do`;
  if (silent.length > 0) return `${silent.join(", ")} does not run (--version failed)`;
  return `no ${wanted.commands.join(" or ")} there`;
}
