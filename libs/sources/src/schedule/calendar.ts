import { type Fields, isEveryHour } from "./fields.ts";
import { HORIZON_DAYS, nextOnClock } from "./wall-clock.ts";
import type { Zone } from "./zone.ts";

const never = Number.POSITIVE_INFINITY;

/**
 * The first tick after `afterMs` in a zone. It depends on the schedule and `afterMs` alone, so replicas agree on each tick
 * whenever they began to count (I7). Where the zone puts its clock
 *
 * - forward, a time that is left out comes as much later: 02:30 at 03:30. Where that is due anyway it comes once;
 * - back, a time that comes twice is due the first time; a schedule of every hour is due both times.
 */
export function nextInZone(fields: Fields, zone: Zone, afterMs: number): number | undefined {
  const everyHour = isEveryHour(fields);
  const end = afterMs + HORIZON_DAYS * 86_400_000;
  for (let after = afterMs; after < end; ) {
    const stretch = zone.stretchAt(after + 1);
    const { from, until, offset, before } = stretch;
    const shift = offset - before;
    // Put back: what this stretch repeats of the one before it is over after -shift.
    const start = shift < 0 && !everyHour ? Math.max(after, from - shift - 1) : after;
    let tick = (nextOnClock(fields, start + offset) ?? never) - offset;
    if (shift > 0 && after < from + shift) {
      const late = (nextOnClock(fields, Math.max(after, from - 1) + before) ?? never) - before;
      if (late < from + shift) tick = Math.min(tick, late);
    }
    if (tick < until) return tick;
    if (tick === never) return undefined;
    after = until - 1;
  }
  return undefined;
}
