import { readdirSync, readFileSync } from "node:fs";

/** Whether a process lives; true where it is another user's. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Kills a process that may be gone already. */
export function killOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}

/**
 * Kills what carries an instance's mark in its environment: where there is neither a PID namespace nor a cgroup, a child
 * in a session of its own is found by nothing else. A program that clears its environment escapes (docs/security.md).
 */
export function killMarked(instance: string): void {
  const mark = `FNBUS_INSTANCE=${instance}\0`;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (readFileSync(`/proc/${entry}/environ`, "latin1").includes(mark)) process.kill(Number(entry), "SIGKILL");
    } catch {
      // Gone, or another user's.
    }
  }
}
