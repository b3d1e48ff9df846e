import type { AttemptRecord, FrameHead, LedgerRecord, OutcomeRecord } from "@fnbus/contract";
import { SimulationFailure } from "./failure.ts";
import type { Process } from "./process.ts";
import { simulatedLimits } from "./settings.ts";
import type { World } from "./world.ts";

interface Run {
  executor: Process;
  life: number;
  attempt: number;
  at: number;
  started: boolean;
}

/** What really happened, seen from outside, and the invariants that it must keep. */
export interface Truth {
  fail(text: string): never;
  /** An envelope was stored. */
  stored(head: FrameHead): void;
  /** A pack of outcomes was stored by this replica. */
  decided(writer: Process, records: readonly LedgerRecord[]): void;
  /** An executor has taken a run that was handed out at this time, or gives it back unstarted. */
  taken(executor: Process, id: string, attempt: number, sentAt: number): void;
  handedBack(executor: Process, id: string, attempt: number): void;
  /** It starts it. */
  started(owner: Process, executor: Process, id: string, attempt: number): void;
  /** This replica hears from this executor, or hears at all again. */
  heard(replica: Process, executor: Process): void;
  hears(replica: Process): void;
  cancelAnswered(id: string, state: string): void;
  /** Whether this is its first time: packs are repeated. */
  handedOut(id: string, attempt: number): boolean;
  atEnd(): void;
  readonly heads: ReadonlyMap<string, FrameHead>;
  readonly ends: ReadonlyMap<string, OutcomeRecord>;
  readonly positions: ReadonlyMap<string, ReadonlySet<number>>;
}

export function createTruth(world: World): Truth {
  const heads = new Map<string, FrameHead>();
  const ends = new Map<string, OutcomeRecord>();
  const attempts = new Map<string, AttemptRecord[]>();
  /** Ids whose attempts are those of an ended invocation. */
  const closed = new Set<string>();
  const runs = new Map<string, Run[]>();
  const positions = new Map<string, Set<number>>();
  const heardAt = new Map<string, number>();
  const hearingSince = new Map<Process, number>();
  const lastSilence = new Map<Process, number>();
  const cancels = new Map<string, string>();
  const handed = new Set<string>();
  /** The tick of each source that started last. */
  const lastTick = new Map<string, string>();
  const { executorLeaseMs, keptWindowMs, recentWindowMs } = simulatedLimits;
  const now = () => world.timeline.now;
  const fail = (text: string): never => {
    throw new SimulationFailure(`${(now() / 1000).toFixed(3)} s: ${text}`);
  };
  const silence = (replica: Process, executor: Process) =>
    now() - Math.max(heardAt.get(replica.name + executor.name) ?? 0, hearingSince.get(replica) ?? 0);
  /** Whether this run's executor is dead, or has been silent for a whole lease while the owner heard (I3). */
  const wasLost = (owner: Process, { executor, life, at }: Run) =>
    executor.life !== life ||
    silence(owner, executor) >= executorLeaseMs ||
    (lastSilence.get(executor) ?? Number.NEGATIVE_INFINITY) >= at;

  function outcome(record: OutcomeRecord): void {
    const { id } = record;
    const before = ends.get(id);
    const window = record.idempotencyKey === undefined ? recentWindowMs : keptWindowMs;
    if (before && record.endedAt < before.endedAt + window)
      fail(`I3: ${id} ends twice: ${before.state}, ${record.state}`);
    const ended = closed.has(id) ? [] : (attempts.get(id) ?? []);
    closed.add(id);
    if (record.attempts < ended.length || record.attempts > ended.length + 1) {
      fail(`I3: ${id} ends after ${record.attempts} attempts, ${ended.length} are recorded before its end`);
    }
    if (cancels.get(id) === "cancelled" && record.state !== "cancelled")
      fail(`L18: ${id} was cancelled, and ${record.state}`);
    if (record.errorCode === "overlap_skipped") {
      if (record.state !== "cancelled" || record.attempts > 0) fail(`L13: ${id} is skipped after it ran`);
      world.reach("tick skipped beside an unfinished one");
    }
    const { position } = record;
    if (position) {
      const covered = positions.get(position.source) ?? new Set();
      positions.set(position.source, covered);
      for (let at = position.first; at <= position.last; at++) {
        if (covered.has(at)) fail(`I7, L10: position ${at} of ${position.source} ran twice`);
        covered.add(at);
      }
    }
    ends.set(id, record);
  }

  function attempt(writer: Process, record: AttemptRecord): void {
    const { id } = record;
    // A key that comes again after its window is another invocation.
    const list = closed.delete(id) ? [] : (attempts.get(id) ?? []);
    attempts.set(id, list);
    if (record.attempt !== list.length + 1)
      fail(`I3: attempt ${record.attempt} of ${id} is recorded after ${list.length}`);
    list.push(record);
    const { registryId } = heads.get(id)!;
    const { retry } = world.functions.find((known) => known.registryId === registryId)!.rules;
    if (list.filter(({ how }) => how === "failed").length >= retry.maxAttempts)
      fail(`I3: ${id} has more tries than its policy`);
    if (record.how === "lost") {
      const run = runs
        .get(id)
        ?.find((known) => known.executor.name === record.executor && known.attempt === record.attempt);
      if (run && !wasLost(writer, run))
        fail(`L17: attempt ${record.attempt} of ${id} is lost, and ${record.executor} lives`);
    }
  }

  /** Whatever was lost or decided meanwhile: before one starts, the one before it has ended durably (L13). */
  function startTick({ id, source, overlap }: FrameHead): void {
    if (overlap === "allow") return;
    const before = lastTick.get(source);
    if (before !== undefined && before !== id && !ends.has(before))
      fail(`L13: tick ${id} starts, and ${before} is unfinished`);
    lastTick.set(source, id);
  }

  return {
    fail,
    heads,
    ends,
    positions,
    stored: (head) => {
      if (!heads.has(head.id)) heads.set(head.id, head);
    },
    decided: (writer, records) => {
      for (const record of records) {
        if (record.type === "outcome") outcome(record);
        else if (record.type === "attempt") attempt(writer, record);
      }
    },
    taken: (executor, id, number, at) => {
      const list = runs.get(id) ?? [];
      list.push({ executor, life: executor.life, attempt: number, at, started: false });
      runs.set(id, list);
    },
    handedBack: (executor, id, number) => {
      const list = runs.get(id)?.filter((run) => run.executor !== executor || run.attempt !== number);
      if (list) runs.set(id, list);
    },
    started: (owner, executor, id, number) => {
      const started = (run: Run) => run.executor === executor && run.attempt === number;
      const own = runs.get(id)?.find(started);
      if (own) own.started = true;
      // Who was lost and comes back may start what it had taken: nobody can reach it (I3).
      if (own && wasLost(owner, own)) return;
      startTick(heads.get(id)!);
      const others = runs.get(id)?.filter((run) => !started(run)) ?? [];
      const recorded = new Set(attempts.get(id)?.map((record) => record.attempt));
      for (const run of others) {
        if (recorded.has(run.attempt) || !run.started || wasLost(owner, run)) continue;
        fail(`I3: ${id} starts as ${number} on ${executor.name}, and runs as ${run.attempt} on ${run.executor.name}`);
      }
      if (ends.has(id) && !others.some((run) => wasLost(owner, run))) fail(`I3: ${id} starts after its end`);
    },
    heard: (replica, executor) => {
      if (silence(replica, executor) >= executorLeaseMs) lastSilence.set(executor, now());
      heardAt.set(replica.name + executor.name, now());
    },
    hears: (replica) => {
      for (const { process } of world.executors) {
        if (process.alive && silence(replica, process) >= executorLeaseMs) lastSilence.set(process, now());
      }
      hearingSince.set(replica, now());
    },
    cancelAnswered: (id, state) => {
      if (state === "cancelled" || state === "running") cancels.set(id, state);
    },
    handedOut: (id, number) => {
      const name = `${id} ${number}`;
      const isFirst = !handed.has(name);
      if (cancels.has(id) && isFirst) fail(`L18: ${id} is handed out after its cancel was answered`);
      handed.add(name);
      return isFirst;
    },
    atEnd: () => {
      for (const [id, head] of heads) if (!head.source && !ends.has(id)) fail(`I3: ${id} has no outcome at the end`);
    },
  };
}
