import type { Announcement, ErrorCode, ResultEntry, RunResult, WorkHead } from "@fnbus/contract";
import type { WorkDraft } from "../src/core/index.ts";
import { after, createProcess, die, every, type Process, send } from "./process.ts";
import type { SimulatedReplica } from "./replica.ts";
import type { World } from "./world.ts";

/** An executor by the rules of L14 to L16. A new one is made at each start: its name is never used again. */
export interface SimulatedExecutor {
  process: Process;
  learnEpoch(epoch: number): void;
  asked(epoch: number): void;
  work(owner: Process, head: WorkHead, entries: readonly WorkDraft[], sentAt: number): void;
  drain(): void;
}

interface Held {
  attempt: number;
  started: boolean;
  result: RunResult | undefined;
  owner: Process;
}

const NO_BODY = new Uint8Array(0);
/** A run starts at most so long after it was taken. */
const START_MS = 30;

export function createExecutor(world: World, name: string, pool: string): SimulatedExecutor {
  const { random, truth } = world;
  const process = createProcess(name);
  const capacity = random.between(1, 5);
  const holds = new Map<string, Held>();
  let epoch = 0;
  let applied = 0;
  let draining = false;

  const announcement = (): Announcement => ({
    executor: name,
    pool,
    capacity: draining ? 0 : capacity,
    draining,
    isolation: "process",
    memoryLimits: false,
    partitions: { 0: { epoch, applied, holds: [...holds].map(([id, { attempt }]) => [id, attempt]) } },
    warm: [],
    calls: {},
  });

  function learnEpoch(newer: number): void {
    if (newer <= epoch) return;
    epoch = newer;
    applied = 0;
  }

  function report(entries: ResultEntry[]): void {
    for (const replica of world.replicas) reportTo(replica, entries);
  }

  function reportTo({ process: replica, core, apply }: SimulatedReplica, entries: ResultEntry[]): void {
    if (world.cut.has(`${name}>${replica.name}`)) return;
    const head = { executor: name, partition: 0, epoch, applied };
    send(world, process, replica, () => {
      // A stand-by does not listen to results.
      if (core.view.phase === "following") return;
      truth.heard(replica, process);
      apply({ type: "results", head, entries: entries.map((meta) => ({ meta, body: NO_BODY })) });
    });
  }

  function run(id: string, held: Held): void {
    if (holds.get(id) !== held || held.started || held.result) return;
    const head = truth.heads.get(id)!;
    const known = world.functions.find(({ registryId }) => registryId === head.registryId)!;
    held.started = true;
    world.trace(() => `${name} starts ${id.slice(0, 8)} attempt ${held.attempt}`);
    truth.started(held.owner, process, id, held.attempt);
    after(world, process, random.between(5, random.chance(world.closing ? 0 : 0.1) ? 8_000 : known.longestMs), () => {
      if (holds.get(id) !== held || held.result) return;
      finish(id, held, random.chance(known.failing) ? random.pick(["function_threw", "function_timeout"]) : undefined);
    });
  }

  function finish(id: string, held: Held, code: ErrorCode | undefined): void {
    held.result = {
      statusCode: code ? 500 : 200,
      headers: [],
      startedAt: 0,
      durationMs: 1,
      cold: false,
      executor: name,
      ...(code ? { error: { code, message: code } } : {}),
    };
    report([{ type: "result", id, attempt: held.attempt, result: held.result }]);
  }

  function apply(owner: Process, entry: WorkDraft, sentAt: number): void {
    switch (entry.type) {
      case "run": {
        const before = holds.get(entry.id);
        if (before && before.attempt >= entry.attempt) return;
        if (draining || (!before && holds.size >= capacity)) {
          report([{ type: "refused", id: entry.id, attempt: entry.attempt, why: draining ? "draining" : "full" }]);
          return;
        }
        const held = { attempt: entry.attempt, started: false, result: undefined, owner };
        holds.set(entry.id, held);
        truth.taken(process, entry.id, entry.attempt, sentAt);
        after(world, process, random.between(0, START_MS), () => run(entry.id, held));
        break;
      }
      case "cancel": {
        const held = holds.get(entry.id);
        if (held && !held.result) finish(entry.id, held, "cancelled");
        break;
      }
      default:
        for (const id of entry.ids) holds.delete(id);
    }
  }

  function start(): void {
    every(world, process, 1_000, () => {
      announce(world, process, announcement);
      const results = [...holds].filter(([, { result }]) => result);
      if (results.length > 0) {
        report(results.map(([id, { attempt, result }]) => ({ type: "result", id, attempt, result: result! })));
      }
      if (draining && holds.size === 0) die(process);
    });
  }

  start();
  return {
    process,
    learnEpoch,
    asked: (newer) => {
      learnEpoch(newer);
      announce(world, process, announcement);
    },
    work: (owner, head, entries, sentAt) => {
      learnEpoch(head.epoch);
      if (head.epoch !== epoch || head.number !== applied + 1) return;
      applied = head.number;
      for (const entry of entries) apply(owner, entry, sentAt);
    },
    drain: () => {
      draining = true;
      for (const [id, held] of holds) {
        if (held.started || held.result) continue;
        holds.delete(id);
        truth.handedBack(process, id, held.attempt);
        report([{ type: "refused", id, attempt: held.attempt, why: "draining" }]);
      }
    },
  };
}

/** What executors say reaches every replica that hears. */
function announce(world: World, from: Process, announcement: () => Announcement): void {
  for (const { process, apply } of world.replicas) {
    if (world.cut.has(`${from.name}>${process.name}`)) continue;
    const said = announcement();
    send(world, from, process, () => {
      world.truth.heard(process, from);
      apply({ type: "announcement", announcement: said });
    });
  }
}
