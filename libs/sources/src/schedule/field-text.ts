import { type Fault, toScheduleError } from "./fault.ts";

interface Form {
  name: string;
  min: number;
  max: number;
  /** Names of values, the first of them `min`. */
  names?: readonly string[];
  /** Takes `?`, which means what `*` means. */
  anyDay?: true;
}

const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** The six fields in their order. */
export const forms: readonly Form[] = [
  { name: "second", min: 0, max: 59 },
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31, anyDay: true },
  { name: "month", min: 1, max: 12, names: months },
  { name: "day of week", min: 0, max: 6, names: weekdays, anyDay: true },
];

/** A field in digits, and whether it restricts anything: `*`, `?` and steps of one through all do not (robfig/cron). */
export interface FieldText {
  text: string;
  restricted: boolean;
}

const describe = ({ min, max, names, anyDay }: Form): string =>
  [
    `a value from ${min} to ${max}`,
    names && `a name from ${names[0]} to ${names.at(-1)}`,
    anyDay ? "* or ?" : "*",
    "a range, a list or a step of these",
  ]
    .filter(Boolean)
    .join(", ");

/**
 * Reads one field: lists, ranges, steps, names, as robfig/cron does: `N/step` runs from N to the largest value.
 * `position`: of its first character. `sevenIsSunday`: 7 may stand for Sunday, and a range may end with SUN.
 */
export function toFieldText(text: string, position: number, form: Form, sevenIsSunday: boolean): FieldText {
  const fail = (what: string, at: number, expected: string, extra: Partial<Fault> = {}) =>
    toScheduleError(what, { position: position + at, field: form.name, expected, ...extra });
  const isWeekday = form.names === weekdays;
  const most = isWeekday && sevenIsSunday ? 7 : form.max;

  const toValue = (word: string, at: number, endsRange: boolean): number => {
    const named = form.names?.indexOf(word.toUpperCase()) ?? -1;
    if (named === 0 && endsRange && isWeekday && sevenIsSunday) return 7;
    if (named >= 0) return named + form.min;
    const shown = word === "" ? "Nothing" : `"${word.slice(0, 16)}"`;
    if (!/^\d{1,4}$/.test(word)) throw fail(`${shown} cannot stand`, at, describe(form));
    const value = Number(word);
    if (value >= form.min && value <= most) return value;
    throw fail(`${word} is out of bounds`, at, describe(form));
  };

  let all = false;
  let at = 0;
  const parts = text.split(",").map((part) => {
    const begin = at;
    at += part.length + 1;
    const [base = "", step, ...more] = part.split("/");
    const stepAt = begin + base.length + 1;
    if (more.length > 0) throw fail("A second step", stepAt + step!.length, "one step at most");
    if (step !== undefined && !/^0*[1-9]\d{0,5}$/.test(step))
      throw fail(`"${step.slice(0, 16)}" is no step`, stepAt, "a whole number above zero");
    const every = step === undefined ? "" : `/${Number(step)}`;
    if (base === "*" || base === "?") {
      if (base === "?" && !form.anyDay) throw fail("? cannot stand", begin, describe(form));
      if (Number(step ?? 1) === 1) all = true;
      return `${form.min}-${form.max}${every}`;
    }
    const [first = "", last, ...rest] = base.split("-");
    if (rest.length > 0) throw fail("A range has two ends", begin + first.length + 1 + last!.length, "one - at most");
    const from = toValue(first, begin, false);
    if (last === undefined) return step === undefined ? `${from}` : `${from}-${Math.max(from, form.max)}${every}`;
    const to = toValue(last, begin + first.length + 1, true);
    if (to < from) throw fail(`The range ${base} ends before it begins`, begin, "the smaller value first");
    return `${from}-${to}${every}`;
  });
  return all ? { text: "*", restricted: false } : { text: parts.join(","), restricted: true };
}
