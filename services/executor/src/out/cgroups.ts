import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRunning, killOne } from "./kill-tree.ts";

/** Limits of one instance that the kernel keeps: memory and number of processes. */
export interface InstanceGroup {
  /** Files that a starting process writes itself into. */
  procs: string[];
  limitMemory(megabytes: number): void;
  /** Whether the kernel killed something in it for want of memory. */
  wasOutOfMemory(): boolean;
  /** Everything in it, by whatever session or group it runs: for a kill that nothing escapes. */
  pids(): number[];
  /** What all of it uses now, the cache of files that it read included. undefined: it is removed. */
  usedMb(): number | undefined;
  /** false: something still runs in it. */
  remove(): boolean;
}

export interface Cgroups {
  version: 1 | 2;
  create(name: string): InstanceGroup;
  stop(): void;
}

const ROOT = "/sys/fs/cgroup";
/** Processes and threads of one instance: Node.js needs about 12 (RELIABILITY: 64 to 128). */
const PIDS_LIMIT = 128;
const MB = 1024 * 1024;

/** The cgroup below which instances get theirs; undefined where none can be made: limits are then not enforced, and said so. */
export function openCgroups(executor: string): Cgroups | undefined {
  try {
    return existsSync(join(ROOT, "cgroup.controllers")) ? openV2(executor) : openV1(executor);
  } catch {
    return undefined;
  }
}

const readNumber = (file: string, name: string): number =>
  Number(new RegExp(`^${name} (\\d+)`, "m").exec(readFileSync(file, "utf8"))?.[1] ?? 0);

function readMb(file: string): number | undefined {
  try {
    return Math.round((Number(readFileSync(file, "utf8")) / MB) * 10) / 10;
  } catch {
    return undefined;
  }
}

const readPids = (file: string): number[] => readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number);

function removeAll(folders: string[]): boolean {
  let gone = true;
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") gone = false;
    }
  }
  return gone;
}

const toGroupName = (executor: string): string => `fnbus-${process.pid}-${executor}`;

/** Groups of executors that were killed: what still runs in them is killed too, and they are removed. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^fnbus-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    try {
      sweepOne(join(parent, name));
    } catch {
      // Another executor that starts now removes it too.
    }
  }
}

function sweepOne(root: string): void {
  const groups = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const group of [...groups.map((entry) => join(root, entry.name)), root]) {
    for (const left of readPids(join(group, "cgroup.procs"))) killOne(left);
    removeAll([group]);
  }
}

/** Our own place in a hierarchy of version 1, so that a limit on the executor's container holds for its instances. */
function ownPath(controller: string): string {
  const line = readFileSync("/proc/self/cgroup", "utf8")
    .split("\n")
    .find((text) => text.split(":")[1]?.split(",").includes(controller));
  const path = join(ROOT, controller, line?.split(":")[2] ?? "/");
  return existsSync(path) ? path : join(ROOT, controller);
}

function openV1(executor: string): Cgroups {
  for (const controller of ["memory", "pids"]) sweep(ownPath(controller));
  const memoryRoot = join(ownPath("memory"), toGroupName(executor));
  const pidsRoot = join(ownPath("pids"), toGroupName(executor));
  mkdirSync(memoryRoot);
  mkdirSync(pidsRoot);
  return {
    version: 1,
    create(name) {
      const memory = join(memoryRoot, name);
      const pids = join(pidsRoot, name);
      mkdirSync(memory);
      mkdirSync(pids);
      writeFileSync(join(pids, "pids.max"), String(PIDS_LIMIT));
      return {
        procs: [join(memory, "cgroup.procs"), join(pids, "cgroup.procs")],
        limitMemory(megabytes) {
          writeFileSync(join(memory, "memory.limit_in_bytes"), String(megabytes * MB));
          const swap = join(memory, "memory.memsw.limit_in_bytes");
          if (existsSync(swap)) writeFileSync(swap, String(megabytes * MB));
        },
        usedMb: () => readMb(join(memory, "memory.usage_in_bytes")),
        wasOutOfMemory: () => readNumber(join(memory, "memory.oom_control"), "oom_kill") > 0,
        pids: () => readPids(join(pids, "cgroup.procs")),
        remove: () => removeAll([memory, pids]),
      };
    },
    stop: () => void removeAll([memoryRoot, pidsRoot]),
  };
}

/** Version 2 allows controllers below a group only when no process stands in it: we move to a leaf of our own first. */
function openV2(executor: string): Cgroups {
  const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  const own = existsSync(join(ROOT, path)) ? join(ROOT, path) : ROOT;
  sweep(own);
  const leaf = join(own, `${toGroupName(executor)}-self`);
  mkdirSync(leaf);
  for (const pid of readPids(join(own, "cgroup.procs"))) writeFileSync(join(leaf, "cgroup.procs"), String(pid));
  writeFileSync(join(own, "cgroup.subtree_control"), "+memory +pids");
  const root = join(own, toGroupName(executor));
  mkdirSync(root);
  writeFileSync(join(root, "cgroup.subtree_control"), "+memory +pids");
  return {
    version: 2,
    create(name) {
      const group = join(root, name);
      mkdirSync(group);
      writeFileSync(join(group, "pids.max"), String(PIDS_LIMIT));
      writeFileSync(join(group, "memory.oom.group"), "1");
      return {
        procs: [join(group, "cgroup.procs")],
        limitMemory(megabytes) {
          writeFileSync(join(group, "memory.max"), String(megabytes * MB));
          const swap = join(group, "memory.swap.max");
          if (existsSync(swap)) writeFileSync(swap, "0");
        },
        usedMb: () => readMb(join(group, "memory.current")),
        wasOutOfMemory: () => readNumber(join(group, "memory.events"), "oom_kill") > 0,
        pids: () => readPids(join(group, "cgroup.procs")),
        remove: () => removeAll([group]),
      };
    },
    stop: () => void removeAll([root]),
  };
}
