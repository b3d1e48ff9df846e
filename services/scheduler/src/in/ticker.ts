import { type Skipped, toDue } from "../core/due.ts";
import { DueHeap } from "../core/due-heap.ts";
import { type Job, toCatchingUp } from "../core/job.ts";

export interface Ticker {
  /** Its place (`after`) is known: from now on its ticks are published. */
  add(job: Job): void;
  /** Nothing more is begun of it. */
  remove(job: Job): void;
  readonly waiting: number;
  readonly inFlight: number;
  /** Begins nothing more, and resolves when what is in flight is done. */
  stop(): Promise<void>;
}

export interface TickerContext {
  /** Ms since 1970. May be put forward and back. */
  now(): number;
  /** Whether publishing makes sense at all; while it does not, everything waits. */
  isReady(): boolean;
  /**
   * Publishes ticks in order and moves the job's `after`; never throws. `skipped`: what is left out before the first.
   * Resolves with how long to wait before the job is looked at again, ms.
   */
  publish(job: Job, ticks: number[], skipped: Skipped | undefined): Promise<number>;
  maxInFlight: number;
}

/** The wall clock is looked at so often at least: it may have been put forward. */
const LOOK_MS = 1_000;
/** Schedules that are begun in one turn of the event loop. */
const AT_ONCE = 256;

/** One timer for all schedules: takes what is due in order of time, a bounded number at once. */
export function createTicker({ now, isReady, publish, maxInFlight }: TickerContext): Ticker {
  const heap = new DueHeap<Job>();
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let turn: NodeJS.Immediate | undefined;
  let armedFor = Number.POSITIVE_INFINITY;
  let looking = false;
  let stopped = false;

  function arm(): void {
    if (stopped || turn) return;
    const waitMs = heap.firstAt - now();
    const full = running.size >= maxInFlight || !isReady();
    if (waitMs <= 0 && !full) {
      turn = setImmediate(look);
      return;
    }
    clearTimeout(timer);
    armedFor = heap.firstAt;
    timer = setTimeout(look, full ? LOOK_MS : Math.min(LOOK_MS, Math.max(1, waitMs)));
  }

  function look(): void {
    turn = undefined;
    looking = true;
    const at = now();
    for (let begun = 0; begun < AT_ONCE && running.size < maxInFlight && isReady(); begun++) {
      const job = heap.takeDue(at);
      if (!job) break;
      begin(job, at);
    }
    looking = false;
    arm();
  }

  function begin(job: Job, at: number): void {
    const { ticks, skipped } = job.ahead
      ? { ticks: [job.schedule.next(job.after)!].filter((tick) => tick <= at) }
      : toDue(job.schedule, job.after, at, toCatchingUp(job));
    const left = job.skipped && skipped ? { from: job.skipped.from, until: skipped.until } : (skipped ?? job.skipped);
    if (ticks.length === 0) {
      if (skipped) job.after = skipped.until;
      job.skipped = left;
      wait(job);
      return;
    }
    const work = publish(job, ticks, left).then((waitMs) => {
      const wasFull = running.size >= maxInFlight;
      running.delete(work);
      job.work = undefined;
      // Not by the wall clock, which may be put back meanwhile.
      if (waitMs > 0) setTimeout(wait, waitMs, job).unref();
      else wait(job);
      if (wasFull) arm();
    });
    job.work = work;
    running.add(work);
  }

  function wait(job: Job): void {
    if (stopped || job.stopped) return;
    const next = job.schedule.next(job.after);
    if (next === undefined) return;
    if (job.ahead && next > now()) job.ahead = false;
    heap.set(job, next);
    if (!looking && next < armedFor) arm();
  }

  return {
    add: wait,
    remove: (job) => heap.remove(job),
    get waiting() {
      return heap.size;
    },
    get inFlight() {
      return running.size;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      clearImmediate(turn);
      await Promise.all(running);
    },
  };
}
