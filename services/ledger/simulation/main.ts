import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Protection } from "../src/core/index.ts";
import { runSeed } from "./run.ts";
import { type NamedCase, namedCases } from "./world.ts";

const help = `The ledger's core, simulated: logs, executors, publishers and faults in virtual time, one seed a run.

node services/ledger/simulation/main.ts --seeds 10000 [--from 1] [--workers 2] [--mutant L10] [--continue]
node services/ledger/simulation/main.ts --seed 4711 [--mutant L10]

  --seeds     how many seeds to run (1000)
  --from      the first of them (1)
  --workers   threads that share them (1)
  --seed      replays one seed, and says what happens in it
  --mutant    rules whose protection is taken away, as in L10,L20: a failure is then expected
  --continue  goes on after a failure
  --help      prints this
`;

interface Task {
  from: number;
  count: number;
  mutant: string | undefined;
  goOn: boolean;
}

interface Report {
  failures: string[];
  run: number;
  reached: [NamedCase, number][];
}

const PROGRESS_SEEDS = 500;
const toProtections = (mutant: string | undefined) => new Set((mutant?.split(",") ?? []) as Protection[]);

function runTask({ from, count, mutant, goOn }: Task, report: (report: Report) => void): void {
  const without = toProtections(mutant);
  let reached = new Map<NamedCase, number>();
  let failures: string[] = [];
  let run = 0;
  const flush = () => {
    report({ failures, run, reached: [...reached] });
    [reached, failures, run] = [new Map(), [], 0];
  };
  for (let seed = from; seed < from + count; seed++) {
    const failure = runSeed({ seed, without, reached });
    run++;
    if (failure) failures.push(`seed ${seed}: ${failure}`);
    if (failure && !goOn) break;
    if (run === PROGRESS_SEEDS) flush();
  }
  flush();
}

function replay(seed: number, mutant: string | undefined): void {
  const failure = runSeed({ seed, without: toProtections(mutant), verbose: true });
  console.log(failure ?? "no violation");
  process.exitCode = failure ? 1 : 0;
}

async function runAll(task: Task, workers: number): Promise<void> {
  const startedAt = performance.now();
  const reached = new Map<NamedCase, number>();
  let run = 0;
  let failed = 0;
  const share = Math.ceil(task.count / workers);
  const onReport = (report: Report) => {
    run += report.run;
    failed += report.failures.length;
    for (const failure of report.failures) console.log(failure);
    for (const [name, count] of report.reached) reached.set(name, (reached.get(name) ?? 0) + count);
    console.error(`${run} of ${task.count} seeds, ${failed} failed`);
  };
  const ends = Array.from({ length: workers }, (_, nth) => {
    const from = task.from + nth * share;
    const part: Task = { ...task, from, count: Math.min(share, task.from + task.count - from) };
    const worker = new Worker(new URL(import.meta.url), { workerData: part });
    worker.on("message", onReport);
    return new Promise<void>((resolve, reject) => worker.once("error", reject).once("exit", () => resolve()));
  });
  await Promise.all(ends);
  for (const name of namedCases) console.log(`${String(reached.get(name) ?? 0).padStart(8)}  ${name}`);
  const missed = task.goOn || failed === 0 ? namedCases.filter((name) => !reached.get(name)) : [];
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${run} seeds, ${failed} failed, ${missed.length} named cases not reached, ${seconds} s`);
  process.exitCode = failed > 0 || missed.length > 0 ? 1 : 0;
}

if (isMainThread) {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      workers: { type: "string", default: "1" },
      seed: { type: "string" },
      mutant: { type: "string" },
      continue: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { mutant } = values;
  const task = { from: Number(values.from), count: Number(values.seeds), mutant, goOn: values.continue };
  if (values.help) process.stdout.write(help);
  else if (values.seed !== undefined) replay(Number(values.seed), mutant);
  else await runAll(task, Number(values.workers));
} else {
  runTask(workerData as Task, (report) => parentPort!.postMessage(report));
}
