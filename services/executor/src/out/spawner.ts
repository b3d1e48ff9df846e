import { type ChildProcess, fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import type { Launch } from "../core/launch.ts";
import { toSpawnerStdio } from "./inherited-descriptors.ts";

/** A started runner: its three descriptors, and how it ends. */
export interface Child {
  pid: number;
  channel: Socket;
  stdout: Socket;
  stderr: Socket;
  exited: Promise<{ code: number | null; signal: string | null }>;
  /** Kills its process group. */
  kill(): void;
}

type Told =
  | { id: number; what: "pid"; pid: number }
  | { id: number; what: "descriptor"; number: 1 | 2 | 3 }
  | { id: number; what: "exit"; code: number | null; signal: string | null }
  | { id: number; what: "failed"; message: string };

interface Pending {
  pid: number;
  sockets: Map<number, Socket>;
  resolve(child: Child): void;
  reject(error: Error): void;
  exit: PromiseWithResolvers<{ code: number | null; signal: string | null }>;
}

export interface Spawner {
  /** Rejects where the process could not be started. */
  start(launch: Launch): Promise<Child>;
  stop(): Promise<void>;
}

/** A spawner that has not ended by then is killed. */
const END_MS = 2_000;

/**
 * The client of runtime/spawner.mjs. Where the spawner dies, its runners die with it and are told as ended; the next
 * start begins another.
 */
export function createSpawner(program: string): Spawner {
  let process_: ChildProcess | undefined;
  let nextId = 1;
  const open = new Map<number, Pending>();

  function begin(): ChildProcess {
    const nothing = openSync("/dev/null", "r");
    const started = fork(program, { stdio: toSpawnerStdio(nothing), env: {}, execArgv: [] });
    closeSync(nothing);
    started.on("message", (message, handle) => hear(message as Told, handle as Socket | undefined));
    started.once("exit", () => gone(started));
    // It could not be started, or what was sent cannot arrive: its exit is on the way where it ever lived.
    started.on("error", () => (started.pid === undefined ? gone(started) : started.kill("SIGKILL")));
    process_ = started;
    return started;
  }

  function gone(ended: ChildProcess): void {
    if (process_ === ended) process_ = undefined;
    for (const [id, one] of open) {
      open.delete(id);
      one.reject(new Error("the spawner ended"));
      one.exit.resolve({ code: null, signal: "SIGKILL" });
    }
  }

  function hear(message: Told, handle: Socket | undefined): void {
    const one = open.get(message.id);
    if (!one) {
      handle?.destroy();
      return;
    }
    if (message.what === "pid") one.pid = message.pid;
    else if (message.what === "descriptor" && handle) {
      handle.on("error", () => {});
      one.sockets.set(message.number, handle);
      if (one.sockets.size === 3) one.resolve(toChild(message.id, one));
    } else if (message.what === "exit") {
      open.delete(message.id);
      one.exit.resolve({ code: message.code, signal: message.signal });
      one.reject(new Error(`ended at start with ${message.signal ?? message.code}`));
    } else if (message.what === "failed") {
      open.delete(message.id);
      one.reject(new Error(message.message));
    }
  }

  const toChild = (id: number, one: Pending): Child => ({
    pid: one.pid,
    channel: one.sockets.get(3)!,
    stdout: one.sockets.get(1)!,
    stderr: one.sockets.get(2)!,
    exited: one.exit.promise,
    kill: () => {
      if (open.has(id)) process_?.send({ do: "kill", id });
    },
  });

  return {
    start(launch) {
      const id = nextId++;
      const spawner = process_ ?? begin();
      return new Promise<Child>((resolve, reject) => {
        open.set(id, { pid: 0, sockets: new Map(), resolve, reject, exit: Promise.withResolvers() });
        spawner.send({ do: "start", id, ...launch });
      });
    },
    async stop() {
      const ending = process_;
      if (!ending) return;
      process_ = undefined;
      const ended = new Promise((resolve) => ending.once("exit", resolve));
      ending.send({ do: "end" }, () => {});
      const forced = setTimeout(() => ending.kill("SIGKILL"), END_MS);
      await ended;
      clearTimeout(forced);
    },
  };
}
