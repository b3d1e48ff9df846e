import { parseArgs } from "node:util";
import type { Protection } from "../src/core/index.ts";
import { runSeed } from "./run.ts";
import { type NamedCase, namedCases } from "./world.ts";

/** node services/ledger/simulation/main.ts --seeds 10000 [--from 1] [--seed N] [--mutant L10] [--continue] */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    mutant: { type: "string" },
    continue: { type: "boolean", default: false },
  },
});

const without = new Set(values.mutant ? (values.mutant.split(",") as Protection[]) : []);
const reached = new Map<NamedCase, number>();
const startedAt = Date.now();

if (values.seed !== undefined) {
  const failure = runSeed({ seed: Number(values.seed), without, reached, verbose: true });
  console.log(failure ?? "no violation");
  process.exit(failure ? 1 : 0);
}

const from = Number(values.from);
const count = Number(values.seeds);
let failures = 0;
for (let seed = from; seed < from + count; seed++) {
  const failure = runSeed({ seed, without, reached });
  if (failure) {
    failures++;
    console.log(`seed ${seed}: ${failure}`);
    if (!values.continue) break;
  }
  if ((seed - from + 1) % 1000 === 0) console.error(`${seed - from + 1} of ${count} seeds, ${failures} failed`);
}
for (const name of namedCases) console.log(`${String(reached.get(name) ?? 0).padStart(7)}  ${name}`);
console.log(`${count} seeds, ${failures} failed, ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
process.exit(failures > 0 ? 1 : 0);
