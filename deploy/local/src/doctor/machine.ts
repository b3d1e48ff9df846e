import { execFile } from "node:child_process";
import { constants, existsSync } from "node:fs";
import { access, readFile, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import type { Check } from "./examine.ts";

const run = promisify(execFile);
const GB = 1024 ** 3;
/** The streams' sizes together, with room for what is unpacked. */
const WANTED_BYTES = 10 * GB;
const LEAST_BYTES = GB;

/** Isolation, memory limits, disk, Node, Python. */
export const examineMachine = (dataFolder: string, cacheFolder: string, home: string): Promise<Check[]> =>
  Promise.all([node(), python(), sandbox(), memoryLimits(), disk(dataFolder), writable(cacheFolder, home)]);

async function node(): Promise<Check> {
  return { name: "Node.js", state: "ok", text: process.version };
}

async function python(): Promise<Check> {
  const version = await run("python3", ["--version"]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  if (version) return { name: "Python", state: "ok", text: version };
  return {
    name: "Python",
    state: "degraded",
    text: "no python3: functions in Python cannot run",
    fix: "install python3",
  };
}

/** The very thing that executors need: a process in namespaces of its own. */
async function sandbox(): Promise<Check> {
  const name = "isolation";
  const lost = "functions run as plain processes, and those that demand isolation are refused";
  if (process.platform !== "linux") return { name, state: "degraded", text: `only Linux has it: ${lost}` };
  try {
    await run("bwrap", ["--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "true"]);
    return { name, state: "ok", text: "bubblewrap with namespaces of its own for each function" };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return isMissing
      ? { name, state: "degraded", text: `no bubblewrap: ${lost}`, fix: "install bubblewrap" }
      : {
          name,
          state: "degraded",
          text: `this machine forbids user namespaces: ${lost}`,
          fix: "sysctl kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)",
        };
  }
}

async function memoryLimits(): Promise<Check> {
  const name = "memory limits";
  const lost = "a function's memory is watched, not limited by the kernel";
  const mine = await readFile("/proc/self/cgroup", "utf8").catch(() => "");
  const v2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const path = v2
    ? `/sys/fs/cgroup${/^0::(.*)$/m.exec(mine)?.[1] ?? ""}`
    : `/sys/fs/cgroup/memory${/^\d+:memory:(.*)$/m.exec(mine)?.[1] ?? ""}`;
  if (mine === "" || !existsSync(path)) return { name, state: "degraded", text: `no memory cgroup: ${lost}` };
  if (await isWritable(path)) return { name, state: "ok", text: `cgroup ${v2 ? "v2" : "v1"}, ${path}` };
  const fix = "run it in a systemd unit or scope with Delegate=yes";
  return { name, state: "degraded", text: `${path} cannot be written to: ${lost}`, fix };
}

async function disk(dataFolder: string): Promise<Check> {
  const name = "disk";
  const path = nearest(resolve(dataFolder));
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const text = `${(free / GB).toFixed(1)} GB free at ${path}`;
  if (free >= WANTED_BYTES) return { name, state: "ok", text };
  const fix = "make room, or put the data elsewhere: npm start -- --data <folder>";
  if (free < LEAST_BYTES) return { name, state: "failed", text, fix };
  return { name, state: "degraded", text: `${text}: less than the logs may grow to (${WANTED_BYTES / GB} GB)`, fix };
}

async function writable(cacheFolder: string, home: string): Promise<Check> {
  const name = "cache";
  if (await isWritable(nearest(cacheFolder))) return { name, state: "ok", text: cacheFolder };
  return {
    name,
    state: "degraded",
    text: `${cacheFolder} cannot be written to`,
    fix: `mend ${home}, or set FNBUS_CACHE_DIR`,
  };
}

/** The folder, or the first above it that exists. */
const nearest = (path: string): string => (existsSync(path) || dirname(path) === path ? path : nearest(dirname(path)));

const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
