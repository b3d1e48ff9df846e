import { type Fields, firstBit } from "./fields.ts";

const DAY_MS = 86_400_000;
/** How far ahead a tick is looked for: 29 February comes every four years, but for 2100 every eight. */
export const HORIZON_DAYS = 8 * 366;

/** The first of sixty bits in two words that is set from `from` on, or 60. */
function firstOfSixty(low: number, high: number, from: number): number {
  if (from < 30) {
    const found = firstBit(low, from);
    if (found < 32) return found;
  }
  const found = firstBit(high, Math.max(0, from - 30));
  return found < 32 ? found + 30 : 60;
}

/** The first second of the day, from `second` on, that the fields allow; undefined: none is left. */
function nextInDay(fields: Fields, second: number): number | undefined {
  const hour = Math.floor(second / 3600);
  const minute = Math.floor(second / 60) % 60;
  const { minutesLow, minutesHigh, secondsLow, secondsHigh } = fields;
  if (fields.hours & (1 << hour)) {
    if (minute < 30 ? minutesLow & (1 << minute) : minutesHigh & (1 << (minute - 30))) {
      const found = firstOfSixty(secondsLow, secondsHigh, second % 60);
      if (found < 60) return hour * 3600 + minute * 60 + found;
    }
    const found = firstOfSixty(minutesLow, minutesHigh, minute + 1);
    if (found < 60) return hour * 3600 + found * 60 + firstOfSixty(secondsLow, secondsHigh, 0);
  }
  const found = firstBit(fields.hours, hour + 1);
  if (found > 23) return undefined;
  return found * 3600 + firstOfSixty(minutesLow, minutesHigh, 0) * 60 + firstOfSixty(secondsLow, secondsHigh, 0);
}

/** Whether the fields allow a day, given as days since 1970. */
function isDay(fields: Fields, month: number, dayOfMonth: number, day: number): boolean {
  if (!(fields.months & (1 << month))) return false;
  const inMonth = (fields.days & (1 << dayOfMonth)) !== 0;
  // 1 January 1970 was a Thursday.
  const inWeek = (fields.weekdays & (1 << ((day + 4) % 7))) !== 0;
  return fields.eitherDay ? inMonth || inWeek : inMonth && inWeek;
}

const monthDays = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/**
 * The first time after `afterMs` (exclusive) that the fields allow, on a clock that is never put forward or back: ms since
 * 1970 of that clock. Undefined: none within HORIZON_DAYS.
 */
export function nextOnClock(fields: Fields, afterMs: number): number | undefined {
  const from = (Math.floor(afterMs / 1000) + 1) * 1000;
  const firstDay = Math.floor(from / DAY_MS);
  let second = (from - firstDay * DAY_MS) / 1000;
  const date = new Date(firstDay * DAY_MS);
  let year = date.getUTCFullYear();
  let month = date.getUTCMonth() + 1;
  let dayOfMonth = date.getUTCDate();
  let last = monthDays(year, month);
  for (let day = firstDay; day < firstDay + HORIZON_DAYS; day++) {
    if (isDay(fields, month, dayOfMonth, day)) {
      const found = nextInDay(fields, second);
      if (found !== undefined) return day * DAY_MS + found * 1000;
    }
    second = 0;
    if (dayOfMonth++ < last) continue;
    dayOfMonth = 1;
    month = (month % 12) + 1;
    if (month === 1) year++;
    last = monthDays(year, month);
  }
  return undefined;
}
