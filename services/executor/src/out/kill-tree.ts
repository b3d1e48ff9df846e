import { readdirSync, readFileSync } from "node:fs";

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
