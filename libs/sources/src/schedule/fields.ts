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

const toBits = (values: readonly (number | string)[], from = 0): number =>
  values.reduce<number>((bits, value) => {
    const bit = Number(value) - from;
    return bit >= 0 && bit < (from === 0 ? 32 : 30) ? bits | (1 << bit) : bits;
  }, 0);
const low = (values: readonly number[]): number => toBits(values.filter((value) => value < 30));
const high = (values: readonly number[]): number => toBits(values, 30);

/** Whether a schedule restricts its hours: the others go through a repeated hour twice. */
export const isEveryHour = (fields: Fields): boolean => fields.hours === ALL_HOURS;

/**
 * Has cron-parser expand six fields, all digits (the text was checked and its names resolved before). Throws
 * `schedule_never` where no month has such a day.
 */
export function toFields(six: readonly string[], eitherDay: boolean): Fields {
  const [, , , days = "*", months = "*"] = six;
  // Days and months are expanded apart from each other: the library refuses 30 February itself, with words of its own.
  const expand = (text: string) => CronExpressionParser.parse(text).fields;
  const time = expand([...six.slice(0, 3), "*", months, six[5]].join(" "));
  const dayBits =
    days === "*"
      ? toBits(Array.from({ length: 31 }, (_, n) => n + 1))
      : toBits(expand(`0 0 0 ${days} * *`).dayOfMonth.values);
  const fields: Fields = {
    secondsLow: low(time.second.values),
    secondsHigh: high(time.second.values),
    minutesLow: low(time.minute.values),
    minutesHigh: high(time.minute.values),
    hours: toBits(time.hour.values),
    days: dayBits,
    months: toBits(time.month.values),
    weekdays: toBits(time.dayOfWeek.values.map((day) => Number(day) % 7)),
    eitherDay,
  };
  const comes = longest.some(
    (last, month) => month > 0 && fields.months & (1 << month) && firstBit(fields.days, 1) <= last,
  );
  if (!comes && !eitherDay) {
    throw new FnbusError("schedule_never", `The schedule never comes due: no month of ${months} has a day ${days}.`, {
      details: { days, months },
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
