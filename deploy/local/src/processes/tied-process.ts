import { spawn } from "node:child_process";
import { readLines } from "./read-lines.ts";

/**
 * A process that cannot outlive us, not even when we are killed with -9: it runs under a small shell that reads the
 * other end of a pipe of ours. A line on the pipe asks the process to stop (SIGTERM); the end of the pipe, which the
 * kernel brings about whenever we are gone, asks it too and two seconds later kills its whole group.
 */
const KEEPER = `
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{
  if read -r word <&3; then kill -TERM "$child"; cat <&3; else kill -TERM "$child"; fi
  sleep 2
  kill -KILL 0
} >/dev/null 2>&1 &
watcher=$!
wait "$child" 2>/dev/null
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;

export interface TiedProcess {
  /** Of the shell that leads the process's own group. */
  readonly pid: number;
  /** Exit code, 128 + number for a signal. Resolves when nothing of the group is left. */
  readonly exited: Promise<number>;
  /** Asks it to stop, and kills its group when `patienceMs` are over. Resolves when it is gone. */
  stop(patienceMs: number): Promise<void>;
  kill(): void;
}

export interface TiedOptions {
  /** Stands in the process list, so that a later start can tell what is ours. */
  marker: string;
  env: Record<string, string | undefined>;
  cwd?: string;
  onLine(line: string): void;
}

/** Starts `command`. A command that cannot be run ends with code 127, as in any shell. */
export function startTied(command: string, args: readonly string[], options: TiedOptions): TiedProcess {
  const child = spawn("/bin/sh", ["-c", KEEPER, options.marker, command, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    // A group of its own: Ctrl-C in the terminal reaches us alone, and the order of stopping is ours.
    detached: true,
    env: options.env as NodeJS.ProcessEnv,
    ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  for (const stream of [child.stdout, child.stderr]) readLines(stream, options.onLine);
  child.stdin.on("error", () => {});
  const killGroup = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // ESRCH: nothing of the group is left.
    }
  };
  const exited = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => {
      killGroup();
      child.stdin.destroy();
      resolve(code ?? 137);
    });
  });
  return {
    pid: child.pid ?? 0,
    exited,
    kill: killGroup,
    async stop(patienceMs) {
      child.stdin.write("stop\n");
      const timer = setTimeout(killGroup, patienceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
