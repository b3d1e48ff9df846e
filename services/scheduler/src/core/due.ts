import type { CatchUp } from "@fnbus/contract";
import type { Schedule } from "@fnbus/sources";

/** A tick that is late by so little is on time whatever its policy: a restart or a full backlog must not cost it. */
export const ON_TIME_MS = 60_000;
/** Missed ticks that `all` makes up for at most, the newest (I11). */
export const MOST_CAUGHT_UP = 1_000;
/** How far back ticks are looked for where the ledger has no mark; it keeps each for two days at least. */
export const UNMARKED_MS = 86_400_000;

/** How a schedule makes up for ticks that it missed. */
export interface CatchingUp {
  catchUp: CatchUp;
  catchUpWindowMs: number;
}

/** Ticks that are left out: the first and the last of them, ms since 1970. */
export interface Skipped {
  from: number;
  until: number;
}

export interface Due {
  /** To be published, in order. */
  ticks: number[];
  skipped?: Skipped | undefined;
}

/** The newest tick after `after` and not after `until`. */
export function newestTick(schedule: Schedule, after: number, until: number): number | undefined {
  const first = schedule.next(after);
  if (first === undefined || first > until) return undefined;
  // Some tick comes after `low` and by `until`, none after `high`. Ticks lie a second apart at least.
  let [low, high] = [first - 1, until];
  while (high - low > 999) {
    const middle = Math.floor((low + high) / 2);
    const next = schedule.next(middle);
    if (next !== undefined && next <= until) low = next - 1;
    else high = middle;
  }
  return schedule.next(low);
}

/** What is due at `now` of a schedule that has come as far as `after`: what is on time, and what its policy makes up for. */
export function toDue(schedule: Schedule, after: number, now: number, { catchUp, catchUpWindowMs }: CatchingUp): Due {
  const newest = newestTick(schedule, after, now);
  if (newest === undefined) return { ticks: [] };
  const onTime = now - newest <= ON_TIME_MS;
  const from = Math.max(after, now - catchUpWindowMs - 1);
  const ticks: number[] = [];
  if (catchUp === "all") {
    for (let tick = newestTick(schedule, from, now); tick !== undefined; tick = newestTick(schedule, from, tick - 1)) {
      if (ticks.push(tick) === MOST_CAUGHT_UP) break;
    }
    ticks.reverse();
  } else if (catchUp === "last" && newest > from) {
    ticks.push(newest);
  }
  if (ticks.length === 0 && onTime) ticks.push(newest);
  const missed = schedule.next(after)!;
  const [first] = ticks;
  if (first === missed) return { ticks };
  return {
    ticks,
    skipped: { from: missed, until: newestTick(schedule, after, first === undefined ? now : first - 1)! },
  };
}

/** How many ticks lie in what is skipped, counted up to `most`. */
export function countSkipped(schedule: Schedule, { from, until }: Skipped, most: number): number {
  let count = 0;
  for (let tick: number | undefined = from; tick !== undefined && tick <= until && count < most; count++) {
    tick = schedule.next(tick);
  }
  return count;
}
