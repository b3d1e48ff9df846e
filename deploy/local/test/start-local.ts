import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts, until } from "@fnbus/testing";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface LocalPlatform {
  pid: number;
  url: string;
  data: string;
  output(): string;
  readyMs: number;
  exited: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Every process below ours, as "pid start-time". */
  descendants(): string[];
  adminKey(): string;
}

export const newDataFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "fnbus-local-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
};

/** `npm start` in a folder of its own, until it says that it is ready or ends. */
export async function startLocal(
  data: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<LocalPlatform> {
  const [port] = await freePorts(1);
  const startedAt = performance.now();
  const child = spawn(process.execPath, [main, "--data", data, "--port", String(port), ...args], {
    // Files run side by side: the port for events that one saw free would be taken by another.
    env: { ...process.env, XDG_STATE_HOME: join(data, "state"), FNBUS_INGEST_PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  let ended = false;
  const exited = new Promise<number | null>((resolve) =>
    child.once("close", (code) => {
      ended = true;
      resolve(code);
    }),
  );
  await until("platform ready", () => ended || output.includes("Try: curl"), 90_000).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  return {
    pid: child.pid!,
    url: `http://127.0.0.1:${port}`,
    data,
    output: () => output,
    readyMs: performance.now() - startedAt,
    exited,
    signal: (name) => void child.kill(name),
    descendants: () => descendantsOf(child.pid!),
    adminKey: () => readFileSync(join(data, "admin-key"), "utf8").trim(),
  };
}

const processes = () =>
  execFileSync("ps", ["-eo", "pid=,ppid=,lstart="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, ...started]) => ({ pid: pid!, parent: parent!, name: `${pid} ${started.join(" ")}` }));

function descendantsOf(root: number): string[] {
  const all = processes();
  const found: string[] = [];
  for (let level = [String(root)]; level.length > 0; ) {
    const below = all.filter(({ parent }) => level.includes(parent));
    found.push(...below.map(({ name }) => name));
    level = below.map(({ pid }) => pid);
  }
  return found;
}

/** The process below a platform whose program is this script. */
export function pidOf(script: string, platform: LocalPlatform): number {
  const below = new Set(platform.descendants().map((name) => name.split(" ")[0]));
  const lines = execFileSync("ps", ["-ww", "-eo", "pid=,command="], { encoding: "utf8" }).trim().split("\n");
  const found = lines
    .map((line) => line.trim())
    .find((line) => below.has(line.split(" ")[0]) && line.includes(script) && !line.includes("/bin/sh"));
  if (!found) throw new Error(`no process of ${script}`);
  return Number.parseInt(found, 10);
}

/** Which of these still run. */
export const stillRunning = (names: readonly string[]): string[] => {
  const now = new Set(processes().map(({ name }) => name));
  return names.filter((name) => now.has(name));
};
