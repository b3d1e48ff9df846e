import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Member } from "./stack.ts";

export interface Program {
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
  opsUrl?: string;
}

/** Kept of a process's output, bytes. */
const LOG_BYTES = 4 * 1024 * 1024;

/** A process of this machine that dies with the tests, even when they are killed with SIGKILL (Linux: parent-death signal). */
export async function startProcess(program: Program): Promise<Member> {
  let child: ChildProcess | undefined;
  let log = "";
  const start = async () => {
    const [command, ...args] =
      process.platform === "linux"
        ? ["setpriv", "--pdeathsig", "KILL", program.command, ...program.args]
        : [program.command, ...program.args];
    child = spawn(command!, args, {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...program.env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(program.cwd ? { cwd: program.cwd } : {}),
    });
    for (const stream of [child.stdout!, child.stderr!])
      stream.on("data", (part) => {
        log = (log + part).slice(-LOG_BYTES);
      });
    await once(child, "spawn");
  };
  const gone = async (signal: NodeJS.Signals): Promise<number> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? -1;
    const exit = once(child, "exit");
    child.kill("SIGCONT");
    child.kill(signal);
    const [code] = await exit;
    return code ?? -1;
  };
  await start();
  return {
    name: program.name,
    opsUrl: program.opsUrl ?? "",
    kill: async () => void (await gone("SIGKILL")),
    stopGracefully: () => gone("SIGTERM"),
    freeze: async () => void child?.kill("SIGSTOP"),
    thaw: async () => void child?.kill("SIGCONT"),
    restart: start,
    log: async () => log,
  };
}

/** Runs a program to its end; throws with its output where that is not 0. */
export async function runToEnd(program: Program): Promise<void> {
  const child = spawn(program.command, program.args, { env: { PATH: process.env.PATH, ...program.env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += part));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program.name} ended with ${code}:\n${output}`);
}
