import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { startPlatform, startTestExecutor } from "../test/platform.ts";

/** Time to the first result of a function that was never run here, a booted runner being free; and memory of an idle instance. */
const ROUNDS = 30;
const sources = {
  nodejs: { "index.js": "exports.handler = () => process.pid;" },
  python: { "index.py": "import os\ndef handler(event, context): return os.getpid()" },
} as const;
const bare = { nodejs: [process.execPath, ["-e", "0"]], python: ["/usr/bin/python3", ["-c", "pass"]] } as const;

const at = (values: number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(share * (sorted.length - 1))]! * 100) / 100;
};
const toRow = (what: string, values: number[]) => ({ what, p50Ms: at(values, 0.5), p95Ms: at(values, 0.95) });

/** Proportional set size of the runner processes, MB: what one instance adds. */
function idleMemoryMb(program: string): number {
  const pids = execFileSync("pgrep", ["-f", `^\\S+ (-B )?\\S+/runtime/${program}$`], { encoding: "utf8" })
    .trim()
    .split("\n");
  const sizes = pids.map((pid) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0),
  );
  return Math.round(at(sizes, 0.5) / 102.4) / 10;
}

const platform = await startPlatform();
const executor = await startTestExecutor(platform);
const rows = [];
const memory: Record<string, number> = {};
for (const runtime of ["nodejs", "python"] as const) {
  const [command, args] = bare[runtime];
  const started = [];
  const first = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    execFileSync(command, args);
    started.push(performance.now() - began);
  }
  for (let round = 0; round < ROUNDS; round++) {
    const deployed = await platform.deploy({ runtime, handler: "index.handler" }, sources[runtime]);
    await sleep(400);
    const began = performance.now();
    await platform.call(deployed);
    first.push(performance.now() - began);
  }
  rows.push(toRow([command.split("/").at(-1), ...args].join(" "), started), toRow(`${runtime}: first result`, first));
  memory[runtime] = idleMemoryMb(runtime === "nodejs" ? "nodejs/main.mjs" : "python/main.py");
}
const report = {
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
  isolation: executor.health?.().isolation,
  rounds: ROUNDS,
  rows,
  idleInstanceMb: memory,
};
await executor.stop();
await platform.stop();
console.table(rows);
console.log(`idle instance (proportional set size): Node.js ${memory.nodejs} MB, Python ${memory.python} MB`);
if (process.argv[2]) writeFileSync(process.argv[2], `${JSON.stringify(report, null, 2)}\n`);
