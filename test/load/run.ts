import { parseArgs } from "node:util";
import { startLocalStack } from "../stack/local-stack.ts";
import { type Stack, sourceNames } from "../stack/stack.ts";
import { deployEcho } from "./calls.ts";
import { measureAccept } from "./measures/accept.ts";
import { measureCallbacks } from "./measures/callbacks.ts";
import { measureCold } from "./measures/cold.ts";
import { measureFairness } from "./measures/fairness.ts";
import { measureMemory } from "./measures/memory.ts";
import { measureSync } from "./measures/sync.ts";
import { isReached, type Measure, machine, toTable, writeResults } from "./report.ts";

/**
 * `npm run bench`: everything and the load on one machine, bodies of 1 KB, durable settings. Ends with 1 where a figure
 * that is to be reached was not.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string", default: "memory,cold,sync,callbacks,fairness,accept" },
    seconds: { type: "string", default: "8" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log("npm run bench -- [--only memory,cold,sync,callbacks,fairness,accept] [--seconds 8]");
  process.exit(0);
}
const seconds = Number(values.seconds);
const measurements: Record<string, (stack: Stack) => Promise<Measure[]>> = {
  memory: measureMemory,
  cold: measureCold,
  sync: (stack) => measureSync(stack, seconds),
  callbacks: measureCallbacks,
  fairness: (stack) => measureFairness(stack, seconds),
  accept: (stack) => measureAccept(stack, seconds),
};
/** What durable settings cost: these are measured a second time without them. */
const DURABLE = ["callbacks", "accept"];
const INVOCATIONS_BYTES = 4 * 1024 ** 3;
const settings = {
  /** A journey looks for lost callbacks every few seconds, so that it takes seconds: under load that is work of its own. */
  "callback-dispatcher": { FNBUS_CALLBACK_RECONCILE: "2m" },
  /** Executors are stopped while accepts are measured: a fast machine would fill one function's backlog and be refused. */
  ledger: { FNBUS_BACKLOG: "8000000", FNBUS_FUNCTION_BACKLOG: "8000000" },
};
/** All that `npm start` runs. */
const replicas = Object.fromEntries(sourceNames.map((name) => [name, 1]));
const names = values.only.split(",");
const unknown = names.find((name) => !measurements[name]);
if (unknown !== undefined) {
  console.error(`No measurement ${unknown}; there are ${Object.keys(measurements).join(", ")}.`);
  process.exit(2);
}

async function measure(chosen: string[], options: { durable: boolean }): Promise<Measure[]> {
  if (chosen.length === 0) return [];
  const stack = await startLocalStack({ ...options, settings, replicas, invocationsBytes: INVOCATIONS_BYTES });
  const found: Measure[] = [];
  try {
    await deployEcho(stack, "echo");
    for (const name of chosen) {
      console.error(`measuring ${name}${options.durable ? "" : " without fsync"} ...`);
      found.push(...(await measurements[name]!(stack)));
    }
  } finally {
    await stack.stop();
  }
  return found;
}

const measures = await measure(names, { durable: true });
const undurable = names.filter((name) => DURABLE.includes(name));
for (const { wanted: _, ...shown } of await measure(undurable, { durable: false })) {
  // A durable log is no baseline for one that is not, and is measured already.
  if (![shown.name, shown.baseline?.name].some((text) => text?.includes("fsync")))
    measures.push({ ...shown, name: `${shown.name}, without fsync` });
}
console.log(
  Object.entries(machine())
    .map(([name, value]) => `${name} ${value}`)
    .join(" · "),
);
console.log(toTable(measures));
console.log(`written to ${writeResults(measures)}`);
process.exitCode = measures.some((measure) => isReached(measure) === false) ? 1 : 0;
