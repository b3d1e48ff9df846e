import type { Schedule } from "./types.ts";

/** The next `count` ticks after `fromMs` (exclusive), fewer where the schedule ends: ms since 1970. */
export function nextRuns(schedule: Schedule, fromMs: number, count: number): number[] {
  const runs: number[] = [];
  for (let after = fromMs; runs.length < count; ) {
    const next = schedule.next(after);
    if (next === undefined) break;
    runs.push(next);
    after = next;
  }
  return runs;
}
