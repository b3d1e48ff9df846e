import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "@fnbus/telemetry";
import type { Isolation, LaunchPaths } from "../core/launch.ts";
import { type Cgroups, openCgroups } from "./cgroups.ts";
import { isRunning } from "./kill-tree.ts";
import { probeIsolation } from "./probe-isolation.ts";

/** What this machine offers for running user code. */
export interface Machine {
  isolation: Isolation;
  cgroups: Cgroups | undefined;
  paths: LaunchPaths;
  /** Below it: code/ and instances/. Ours alone, removed at the stop. */
  folder: string;
  degraded: string[];
  stop(): void;
}

/** Finds out what can be enforced here, by trying; says in the log what cannot. */
export async function prepareMachine(
  wish: { executor: string; folder: string; python: string; sandbox: boolean },
  logger: Logger,
): Promise<Machine> {
  const folder = makeFolder(wish.folder);
  const paths: LaunchPaths = {
    node: process.execPath,
    python: wish.python,
    runtimes: fileURLToPath(new URL("../../runtime", import.meta.url)),
  };
  const cgroups = openCgroups(wish.executor);
  const { isolation, reasons } = await probeIsolation(paths, join(folder, "instances"), wish.sandbox);
  const degraded = [
    ...(isolation.level === "sandbox" ? [] : ["functions run as plain processes: no sandbox works here"]),
    ...(cgroups ? [] : ["memory and process limits are not enforced: no cgroup can be made here"]),
  ];
  for (const text of degraded) logger.warn({ reasons }, text);
  return {
    isolation,
    cgroups,
    paths,
    folder,
    degraded,
    stop() {
      cgroups?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A folder of our own; those of executors that are dead are removed. */
function makeFolder(root: string): string {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  for (const name of readdirSync(root))
    if (isAbandoned(join(root, name))) rmSync(join(root, name), { recursive: true });
  const folder = mkdtempSync(join(root, "run-"));
  chmodSync(folder, 0o711);
  writeFileSync(join(folder, "pid"), String(process.pid));
  for (const name of ["code", "instances"]) {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), 0o711);
  }
  return folder;
}

/** One that is being made has no pid yet, and is not. */
function isAbandoned(folder: string): boolean {
  const file = join(folder, "pid");
  return existsSync(file) && !isRunning(Number(readFileSync(file, "utf8")));
}
