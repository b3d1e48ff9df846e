import { defaultRetry } from "@fnbus/contract";
import type { Protection } from "../src/core/index.ts";
import { createDispatcher } from "./dispatcher.ts";
import { SimulationFailure } from "./failure.ts";
import { addExecutor, planFaults } from "./faults.ts";
import { after, createProcess } from "./process.ts";
import { type CountingSource, checkSource, createGateway, createSourceReplica } from "./publishers.ts";
import { createReplica } from "./replica.ts";
import { createWorld, type NamedCase, type SimulatedFunction, type World } from "./world.ts";

/** Publishers and faults stop here; what is unfinished has `CLOSING_MS` to end. Virtual time. */
const BUSY_MS = 30_000;
const CLOSING_MS = 150_000;

export interface RunOptions {
  seed: number;
  without?: ReadonlySet<Protection>;
  reached?: Map<NamedCase, number>;
  verbose?: boolean;
}

/** One run of one seed. Returns what went wrong, or undefined. */
export function runSeed({
  seed,
  without = new Set(),
  reached = new Map(),
  verbose = false,
}: RunOptions): string | undefined {
  const world = createWorld({ seed, without, reached, verbose });
  const sources = populate(world);
  planFaults(world, BUSY_MS);
  try {
    let isOver = false;
    world.timeline.at(BUSY_MS, () => {
      close(world);
      watchEnd(world, () => {
        isOver = true;
      });
    });
    while (!isOver && world.timeline.step()) if (world.timeline.now > BUSY_MS + CLOSING_MS) break;
    checkEnd(world, sources);
  } catch (error) {
    for (const { process, core } of world.replicas) {
      const { phase, queues, executors, next, totals, fill } = core.view;
      world.trace(() => `${process.name} ${JSON.stringify([phase, next(), totals(), queues(), executors(), fill()])}`);
    }
    if (error instanceof SimulationFailure) return error.message;
    return `${(world.timeline.now / 1000).toFixed(3)} s: ${(error as Error).stack}`;
  }
  return undefined;
}

function populate(world: World): CountingSource[] {
  const { random } = world;
  const create = (
    pool: string,
    limit: number,
    maxAttempts: number,
    failing: number,
    longestMs: number,
  ): SimulatedFunction => ({
    registryId: random.id(7),
    rules: {
      limit,
      weight: random.between(1, 3),
      pool,
      retry: { ...defaultRetry, maxAttempts, firstDelayMs: random.between(0, 3_000) },
      maxAgeMs: 600_000,
      backlog: 1_000,
    },
    revision: world.functions.length + 1,
    deleted: false,
    failing,
    longestMs,
  });
  const createTicked = (overlap: "skip" | "queue-one"): SimulatedFunction => ({
    ...create("shared", 4, 2, 0.3, 4_000),
    overlap,
  });
  for (const known of [
    () => create("shared", 2, 1, 0.1, 300),
    () => create("shared", 4, 3, 0.4, 500),
    () => create("late", 2, 1, 0, 300),
    () => create("shared", 1, 2, 0.2, 1_000),
    () => createTicked("skip"),
    () => createTicked("queue-one"),
  ]) {
    world.functions.push(known());
  }
  world.replicas.push(createReplica(world, "ledger-a"), createReplica(world, "ledger-b"));
  for (const replica of world.replicas) replica.start();
  for (let nth = random.between(1, 3); nth > 0; nth--) addExecutor(world, "shared");
  world.timeline.at(random.between(1, BUSY_MS), () => addExecutor(world, "late"));
  world.dispatcher = createDispatcher(world);
  for (let nth = random.between(1, 2); nth > 0; nth--) createGateway(world, `gateway-${nth}`);
  const first = world.broker.clock + 2_000;
  const [any, skipping, waiting] = [random.pick(world.functions.slice(0, -2)), ...world.functions.slice(-2)];
  const ticks = (digit: string, known: SimulatedFunction, step: number): CountingSource => ({
    ...{ source: digit.repeat(32), known, ticks: true, done: first, step, base: first },
  });
  const sources: CountingSource[] = [
    {
      source: "c".repeat(32),
      known: random.pick(world.functions.slice(0, -2)),
      ticks: false,
      done: 0,
      step: 1,
      base: 0,
    },
    ticks("d", any!, 2_000),
    ticks("e", skipping!, 1_000),
    ticks("f", waiting!, 1_000),
  ];
  for (const source of sources) {
    for (let nth = random.between(1, 2); nth > 0; nth--) createSourceReplica(world, `source-${nth}`, source);
  }
  return sources;
}

/** Everything works again, and nothing new comes. */
function close(world: World): void {
  world.trace(() => "closing");
  world.closing = true;
  Object.assign(world.weather, { lost: 0, late: 0, doubled: 0, unsent: 0, unanswered: 0, storedLate: 0 });
  world.invocations.maxBytes = world.outcomes.maxBytes = world.parked.maxBytes = 1_000_000;
  world.cut.clear();
  for (const known of world.functions) known.longestMs = 50;
  for (const pool of ["shared", "late"]) addExecutor(world, pool);
}

function hasEnded(world: World): boolean {
  for (const [id, head] of world.truth.heads) if (!head.source && !world.truth.ends.has(id)) return false;
  const owning = world.replicas.some(({ core }) => core.view.phase === "owning");
  return (
    owning && world.replicas.every(({ core }) => core.view.totals().unfinished === 0) && world.dispatcher.open() === 0
  );
}

/** Over when all has ended and stays so for a while: something might still run twice. */
function watchEnd(world: World, over: () => void): void {
  const watcher = createProcess("watcher");
  const look = (quietMs: number) =>
    after(world, watcher, 1_000, () => {
      const quiet = hasEnded(world) ? quietMs + 1_000 : 0;
      if (quiet >= 8_000) over();
      else look(quiet);
    });
  look(0);
}

function checkEnd(world: World, sources: CountingSource[]): void {
  const { truth, replicas, dispatcher } = world;
  truth.atEnd();
  for (const source of sources) checkSource(world, source);
  for (const { core, process } of replicas) {
    const { unfinished } = core.view.totals();
    if (unfinished > 0) truth.fail(`I3: ${process.name} has ${unfinished} unfinished at the end, ${core.view.phase}`);
  }
  if (dispatcher.open() > 0) truth.fail(`I4: ${dispatcher.open()} callbacks are open at the end`);
  const [a, b] = replicas.map(({ core }) => JSON.stringify(core.view.totals().ended));
  if (a !== b) truth.fail(`L4: the replicas differ: ${a} and ${b}`);
}
