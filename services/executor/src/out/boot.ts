import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FnbusError, type Runtime } from "@fnbus/contract";
import { frameTypes } from "../core/frames.ts";
import { type Isolation, type LaunchPaths, toLaunch } from "../core/launch.ts";
import type { Cgroups, InstanceGroup } from "./cgroups.ts";
import { killMarked, killOne } from "./kill-tree.ts";
import { createRunner, type Runner } from "./runner.ts";
import type { Spawner } from "./spawner.ts";

/** A runner that has booted and has no code yet. */
export interface Booted {
  number: number;
  name: string;
  runtime: Runtime;
  network: boolean;
  home: string;
  runner: Runner;
  group: InstanceGroup | undefined;
  /** The process is gone; `outOfMemory`: the kernel killed it for that. Its folder and group are removed. */
  ended: Promise<{ code: number | null; signal: string | null; outOfMemory: boolean }>;
  /** Kills everything it started, whatever session it hides in (I10). */
  kill(): void;
}

export interface BootWish {
  runtime: Runtime;
  network: boolean;
  /** Code bound as it stands; otherwise it is linked into `home` when the function is known. */
  codeFolder?: string;
}

/** A boot that takes longer has failed: the process is killed. */
const BOOT_MS = 20_000;
const REMOVE_RETRIES = 50;
const REMOVE_RETRY_MS = 20;

export interface BootOptions {
  executor: string;
  isolation: Isolation;
  paths: LaunchPaths;
  folder: string;
  cgroups: Cgroups | undefined;
  spawner: Spawner;
}

/** Starts runners: folder, cgroup, process, first frame. `boot` throws `runner_failed`. */
export function createBoot(options: BootOptions) {
  let lastNumber = 0;
  let stopped = false;
  /** Every process with its folder and group, until all of it is gone. */
  const alive = new Map<number, { kill(): void; gone: Promise<void> }>();

  async function boot(wish: BootWish): Promise<Booted> {
    const number = ++lastNumber;
    const name = `${options.executor}-${number}`;
    const home = join(options.folder, String(number));
    mkdirSync(home, { mode: 0o755 });
    const group = options.cgroups?.create(String(number));
    const launch = toLaunch(options.isolation, options.paths, { ...wish, home, groups: group?.procs ?? [] });
    launch.env.FNBUS_INSTANCE = name;
    const remove = async () => {
      rmSync(home, { recursive: true, force: true });
      if (group) await removeGroup(group);
      alive.delete(number);
    };
    const child = await options.spawner.start(launch).catch((error: Error) => {
      void remove();
      throw new FnbusError("runner_failed", `cannot start: ${error.message}`, { cause: error });
    });
    const runner = createRunner(child);
    const kill = () => {
      child.kill();
      if (group) killAll(group);
      else if (options.isolation.level === "process") killMarked(name);
    };
    const ended = child.exited.then((exit) => {
      const outOfMemory = group?.wasOutOfMemory() ?? false;
      kill();
      child.channel.destroy();
      alive.set(number, { kill, gone: remove() });
      return { ...exit, outOfMemory };
    });
    alive.set(number, { kill, gone: ended.then(() => alive.get(number)?.gone) });
    if (stopped) kill();
    await ready(runner, kill);
    return { number, name, runtime: wish.runtime, network: wish.network, home, runner, group, ended, kill };
  }

  return {
    boot,
    /** Kills all that still runs, and resolves when nothing is left of it. */
    async stop(): Promise<void> {
      stopped = true;
      for (const one of alive.values()) one.kill();
      await Promise.all([...alive.values()].map((one) => one.gone));
    },
  };
}
export type Boot = ReturnType<typeof createBoot>;

/** Resolves with the first frame, which must be *ready*. */
function ready(runner: Runner, kill: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const hear = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-2048);
    };
    const fail = (message: string) => {
      clearTimeout(timer);
      kill();
      reject(new FnbusError("runner_failed", message));
    };
    const timer = setTimeout(() => fail(`not booted after ${BOOT_MS} ms`), BOOT_MS);
    runner.child.stderr.on("data", hear);
    runner.listen((frame) => {
      if (frame.type !== frameTypes.ready) return fail("its first frame is not ready");
      clearTimeout(timer);
      runner.child.stderr.off("data", hear).pause();
      resolve();
    }, fail);
    void runner.child.exited.then(({ code, signal }) =>
      fail(`ended while booting with ${signal ?? code}: ${output.trim() || "no output"}`),
    );
  });
}

/** A process may fork while its list is read: again until nothing is left, a few times. */
function killAll(group: InstanceGroup): void {
  for (let round = 0; round < 5; round++) {
    let pids: number[];
    try {
      pids = group.pids();
    } catch {
      return;
    }
    if (pids.length === 0) return;
    for (const pid of pids) killOne(pid);
  }
}

/** A cgroup can be removed when the kernel has reaped the last of its processes. */
async function removeGroup(group: InstanceGroup): Promise<void> {
  for (let round = 0; round < REMOVE_RETRIES && !group.remove(); round++) {
    killAll(group);
    await sleep(REMOVE_RETRY_MS);
  }
}
