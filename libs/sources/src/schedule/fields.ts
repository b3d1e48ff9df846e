import { FnbusError } from "@fnbus/contract";
import { CronExpressionParser } from "cron-parser";

/**
 * What each field of a cron schedule allows, as bits. Seconds and minutes in two words of thirty bits, which stay small
 * integers; hours, days of the month, months (1 = bit 1) and days of the week (Sunday = bit 0) in one each.
 */
export interface Fields {
  secondsLow: number;
  secondsHigh: number;
  minutesLow: number;
  minutesHigh: number;
  hours: number;
  days: number;
  months: number;
  weekdays: number;
  /** Days of the month and of the week are both restricted: a day that either allows is a day (robfig/cron). */
  eitherDay: boolean;
}

/** Days of each month in a leap year. */
const longest = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const ALL_HOURS = 2 ** 24 - 1;

const toBits = (values: readonly number[]): number => values.reduce((bits, value) => bits | (1 << value), 0);
const low = (values: readonly number[]): number => toBits(values.filter((value) => value < 30));
const high = (values: readonly number[]): number =>
  toBits(values.filter((value) => value >= 30).map((value) => value - 30));

/** Whether a schedule restricts its hours: the others go through a repeated hour twice. */
export const isEveryHour = (fields: Fields): boolean => fields.hours === ALL_HOURS;

/** Fields that were expanded, by place and text: of many schedules few differ. At most so many are kept. */
const KEPT = 5_000;
const kept = new Map<string, readonly number[]>();

/**
 * What one field allows, as cron-parser expands it: apart from the others, as it has words of its own for 30 February, and
 * part by part, as it refuses lists whose parts overlap.
 */
function expand(text: string, at: number): readonly number[] {
  const key = `${at} ${text}`;
  const known = kept.get(key);
  if (known) return known;
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const six = ["0", "0", "0", "*", "*", "*"].with(at, part).join(" ");
    const { second, minute, hour, dayOfMonth, month, dayOfWeek } = CronExpressionParser.parse(six).fields;
    for (const value of [second, minute, hour, dayOfMonth, month, dayOfWeek][at]!.values) values.add(Number(value));
  }
  if (kept.size >= KEPT) kept.clear();
  const expanded = [...values];
  kept.set(key, expanded);
  return expanded;
}

/**
 * Has cron-parser expand six fields, all digits (the text was checked and its names resolved before). Throws
 * `schedule_never` where no month has such a day.
 */
export function toFields(six: readonly string[], eitherDay: boolean): Fields {
  const [seconds, minutes, hours, days, months, weekdays] = six.map(expand);
  const fields: Fields = {
    secondsLow: low(seconds!),
    secondsHigh: high(seconds!),
    minutesLow: low(minutes!),
    minutesHigh: high(minutes!),
    hours: toBits(hours!),
    days: toBits(days!),
    months: toBits(months!),
    weekdays: toBits(weekdays!.map((day) => day % 7)),
    eitherDay,
  };
  const comes = longest.some(
    (last, month) => month > 0 && fields.months & (1 << month) && firstBit(fields.days, 1) <= last,
  );
  if (!comes && !eitherDay) {
    throw new FnbusError("schedule_never", `The schedule never comes due: no month of ${six[4]} has a day ${six[3]}.`, {
      details: { days: six[3], months: six[4] },
    });
  }
  return fields;
}

/** The lowest bit of `bits` that is set from `from` on, or 32. */
export const firstBit = (bits: number, from: number): number => {
  if (from > 31) return 32;
  const left = bits & (-1 << from);
  return left === 0 ? 32 : 31 - Math.clz32(left & -left);
};
