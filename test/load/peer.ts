import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A program of this folder in a process of its own; it ends with `stop`. */
export interface Peer {
  /** The first line that it printed. */
  first: string;
  /** Sends it a line and gives the next one that it prints. One at a time. */
  ask(line: string): Promise<string>;
  stop(): void;
}

const start = (file: string, args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [new URL(file, import.meta.url).pathname, ...args], { stdio: ["pipe", "pipe", "inherit"] });

/** Starts it and waits for its first line (a port, say). Rejects, as `ask` does, where it ends without one. */
export async function startPeer(file: string, ...args: string[]): Promise<Peer> {
  const child = start(file, args);
  const lines = createInterface({ input: child.stdout! });
  const next = () =>
    new Promise<string>((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`${file} ended with ${code} before it printed a line`));
      child.once("exit", onExit);
      lines.once("line", (line) => {
        child.off("exit", onExit);
        resolve(line);
      });
    });
  return {
    first: await next(),
    ask(line) {
      child.stdin!.write(`${line}\n`);
      return next();
    },
    stop: () => child.kill("SIGKILL"),
  };
}

/** Runs it to its end and gives the last line that it printed. */
export async function runPeer(file: string, ...args: string[]): Promise<string> {
  const child = start(file, args);
  let last = "";
  for await (const line of createInterface({ input: child.stdout! })) last = line;
  const code =
    child.exitCode ?? (await new Promise<number>((resolve) => child.once("exit", (ended) => resolve(ended ?? 1))));
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
  return last;
}
