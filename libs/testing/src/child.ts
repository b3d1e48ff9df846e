import { spawn } from "node:child_process";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";

/** A server program that ends with this process, however this process ends. */
export interface Child {
  /** Of the server itself. */
  readonly pid: number;
  /** SIGKILL: nothing is flushed, nobody is told. */
  kill(): Promise<void>;
  /** SIGTERM, then SIGKILL after two seconds. */
  stop(): Promise<void>;
  /** SIGSTOP and SIGCONT: a server, or a whole process, that hangs. */
  freeze(): void;
  thaw(): void;
  /** The last lines that it wrote, for the message of a test that failed. */
  output(): string;
}

const GRACE_MS = 2_000;
const OUTPUT_BYTES = 16_384;

/**
 * The shell starts the program and then waits for the end of its own standard input, a pipe that we hold: it closes when
 * this process ends, by SIGKILL too, and the shell takes the program with it.
 */
const SCRIPT =
  'exec 3<&0; "$@" </dev/null & echo "pid $!"; pid=$!; (cat <&3 >/dev/null; kill -9 $pid 2>/dev/null) & wait $pid';

export async function startChild(command: string, args: string[]): Promise<Child> {
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "sh", command, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  const ended = new Promise<void>((resolve) => shell.once("exit", () => resolve()));
  const pid = await new Promise<number>((resolve, reject) => {
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-OUTPUT_BYTES);
      const match = /pid (\d+)\n/.exec(output);
      if (match) resolve(Number(match[1]));
    };
    shell.stdout.on("data", keep);
    shell.stderr.on("data", keep);
    void ended.then(() => reject(new Error(`${command} ended at once: ${output}`)));
  });
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended already.
    }
  };
  const close = async () => {
    await ended;
    shell.stdin.destroy();
  };
  return {
    pid,
    async kill() {
      signal("SIGKILL");
      await close();
    },
    async stop() {
      signal("SIGTERM");
      const timer = globalThis.setTimeout(() => signal("SIGKILL"), GRACE_MS);
      await close();
      clearTimeout(timer);
    },
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    output: () => output,
  };
}

const READY_MS = 15_000;

/** Resolves when `probe` gives true; throws with what the server wrote when it does not in time. */
export async function untilReady(
  child: Child,
  what: string,
  probe: () => Promise<boolean>,
  readyMs = READY_MS,
): Promise<void> {
  const until = performance.now() + readyMs;
  while (performance.now() < until) {
    if (await probe().catch(() => false)) return;
    await setTimeout(20);
  }
  throw new Error(`${what} was not ready after ${readyMs} ms:\n${child.output()}`);
}

/** Whether a server on 127.0.0.1 says `expected` when it is sent `question`. */
export const says = (port: number, question: string, expected: RegExp): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(question));
    let heard = "";
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      if (expected.test(heard)) done(true);
    });
    socket.on("error", () => done(false));
    socket.setTimeout(500, () => done(false));
  });

/** A server that can be started again on the data that it left. */
export interface Restartable extends Pick<Child, "pid" | "kill" | "freeze" | "thaw" | "stop"> {
  /** After SIGKILL, or after SIGTERM where it is to write down what it holds. */
  restart(how?: "killed" | "stopped"): Promise<void>;
}

/** `clean` runs after `stop`. */
export async function startRestartable(start: () => Promise<Child>, clean: () => Promise<void>): Promise<Restartable> {
  let child = await start();
  return {
    get pid() {
      return child.pid;
    },
    kill: () => child.kill(),
    async restart(how = "killed") {
      await (how === "killed" ? child.kill() : child.stop());
      child = await start();
    },
    freeze: () => child.freeze(),
    thaw: () => child.thaw(),
    async stop() {
      await child.stop();
      await clean();
    },
  };
}
