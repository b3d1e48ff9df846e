import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "../../stack/stack.ts";
import { callPath } from "../calls.ts";
import type { Measure } from "../report.ts";

const FUNCTIONS = 20;
/** Until the executor has booted another runner ahead. */
const REFILL_MS = 700;

const runtimes = {
  nodejs: {
    title: "Node.js",
    handler: "index.handle",
    files: { "index.js": "exports.handle = () => 'done';" },
    bare: { command: process.execPath, args: ["-e", "0"], name: "node -e 0" },
  },
  python: {
    title: "Python",
    handler: "handler.handle",
    files: { "handler.py": "def handle(req):\n    return 'done'\n" },
    bare: { command: "python3", args: ["-c", "pass"], name: "python3 -c pass" },
  },
};

/** Times from a request to the first result of functions that never ran, beside starting the bare interpreter. */
export async function measureCold(stack: Stack): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const [runtime, { title, handler, files, bare }] of Object.entries(runtimes)) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let index = 0; index < FUNCTIONS; index++) {
      const name = `cold-${runtime}-${index}`;
      await deployCold(stack, name, { runtime, handler, source: { files } });
      await sleep(REFILL_MS);
      ours.push(
        await timed(async () => {
          const answer = await stack.api.call("POST", callPath(name, "invoke"));
          if (answer.status !== 200) throw new Error(`first call of ${name}: ${answer.status} ${answer.text}`);
        }),
      );
      theirs.push(await timed(async () => void execFileSync(bare.command, bare.args)));
    }
    measures.push({
      name: `first result of a new ${title} function, median`,
      ours: medianOf(ours),
      unit: "ms",
      baseline: { name: bare.name, value: medianOf(theirs) },
      wanted: { below: 10 },
      details: { functions: FUNCTIONS, slowestMs: Number(Math.max(...ours).toFixed(1)) },
    });
  }
  return measures;
}

async function deployCold(stack: Stack, name: string, definition: object): Promise<void> {
  const answer = await stack.api.call("POST", "/v1/spaces/default/functions", {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, style: "request", ...definition }),
  });
  if (answer.status !== 201) throw new Error(`deploying ${name}: ${answer.status} ${answer.text}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const medianOf = (values: number[]): number =>
  Number([...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]!.toFixed(2));
