import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { DataFolder } from "./folder.ts";

const run = promisify(execFile);
const FILE = "processes.json";
/** A process of a killed platform ends by itself within two seconds (tied-process.ts); then it is helped. */
const PATIENCE_MS = 6_000;

/** Stands in the command line of every process of ours: pids are used again by the system, this text is not. */
export const markerOf = (data: DataFolder, name: string): string => `fnbus:${data.path}:${name}`;

/** Notes which processes are running, for the start after a crash. */
export const noteProcesses = (data: DataFolder, pids: Record<string, number>): void => data.writeJson(FILE, pids);

/**
 * Waits for what a killed platform left running on this folder: two servers on one store would ruin it. What does not
 * end by itself is killed.
 */
export async function awaitRemnants(data: DataFolder): Promise<void> {
  const noted = Object.entries(data.readJson<Record<string, number>>(FILE) ?? {});
  const deadline = Date.now() + PATIENCE_MS;
  for (const [name, pid] of noted) {
    while (await isOurs(pid, markerOf(data, name))) {
      if (Date.now() > deadline) killGroup(pid);
      await sleep(100);
    }
  }
  noteProcesses(data, {});
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}

async function isOurs(pid: number, marker: string): Promise<boolean> {
  try {
    const { stdout } = await run("ps", ["-ww", "-o", "command=", "-p", String(pid)]);
    return stdout.includes(marker);
  } catch {
    return false;
  }
}
