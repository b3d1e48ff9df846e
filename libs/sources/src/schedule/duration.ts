import { toScheduleError } from "./fault.ts";

/** Nanoseconds of each unit of a Go duration. */
const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const part = /(\d+(?:\.\d*)?|\.\d+)([a-zµμ]*)/uy;
const FORM = "a duration such as 90s, 30m, 1.5h or 2h30m";

/**
 * The period of `@every`, in ms, of a Go duration (wire-compatibility.md 5.3): whole seconds as robfig/cron counts them,
 * what is left over cut off, and one second at least. `position`: of the text's first character in the whole schedule.
 */
export function toPeriodMs(text: string, position: number): number {
  const fail = (what: string, at: number, expected: string) =>
    toScheduleError(what, { position: position + at, field: "duration", expected });
  if (text === "") throw fail("@every lacks its duration", 0, FORM);
  let nanoseconds = 0;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const at = part.lastIndex;
    const found = part.exec(text);
    if (!found) throw fail(`"${text.slice(at, at + 16)}" is no duration`, at, FORM);
    const [, amount = "", unit = ""] = found;
    const size = Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (size === undefined) {
      const what = unit === "" ? `${amount} lacks its unit` : `"${unit}" is no unit of time`;
      throw fail(what, at + amount.length, "one of ns, us, ms, s, m, h");
    }
    nanoseconds += Number(amount) * size;
  }
  if (!(nanoseconds > 0)) throw fail("The duration is nothing", 0, "a duration above zero");
  // A microsecond is added so that 0.1h is not a hair under its six minutes.
  return Math.max(1, Math.floor((nanoseconds + 1e3) / 1e9)) * 1000;
}
