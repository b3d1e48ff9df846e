import type { ScheduleSyntax } from "@fnbus/contract";
import { defaultTicking, FnbusError } from "@fnbus/contract";
import { nextInZone } from "./calendar.ts";
import { toPeriodMs } from "./duration.ts";
import { toScheduleError } from "./fault.ts";
import { forms, toFieldText } from "./field-text.ts";
import { toFields } from "./fields.ts";
import type { Schedule } from "./types.ts";
import { HORIZON_DAYS } from "./wall-clock.ts";
import { toZone } from "./zone.ts";

export interface ScheduleOptions {
  syntax: ScheduleSyntax;
  /** IANA name, UTC where none is given; a CRON_TZ= prefix stands over it. */
  timezone?: string | undefined;
}

/** Longest text of a schedule, as a trigger's config has it. */
const LONGEST = 256;
/** What was read is shared by whoever has the same text: at most so many texts are kept. */
const KEPT = 20_000;
const kept = new Map<string, Schedule>();

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 0 1 1 *",
  "@annually": "0 0 0 1 1 *",
  "@monthly": "0 0 0 1 * *",
  "@weekly": "0 0 0 * * 0",
  "@daily": "0 0 0 * * *",
  "@midnight": "0 0 0 * * *",
  "@hourly": "0 0 * * * *",
};

/** A piece of the text and where it begins, from 1. */
interface Word {
  text: string;
  position: number;
}

const toWords = (text: string): Word[] =>
  [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], position: match.index + 1 }));

/** The six fields' words. Those that may be left out: seconds in the standard form, the day of the week in the other. */
function toSix(words: readonly Word[], syntax: ScheduleSyntax): Word[] {
  const implied = (text: string): Word => ({ text, position: 1 });
  if (words.length === 6) return [...words];
  if (words.length === 5) return syntax === "standard" ? [implied("0"), ...words] : [...words, implied("*")];
  const expected =
    syntax === "standard"
      ? "5 fields (minute, hour, day of month, month, day of week), or 6 with the second before them"
      : "second, minute, hour, day of month, month and, where wanted, day of week";
  const last = words.at(-1)!;
  const position = words.length > 6 ? words[6]!.position : last.position + last.text.length;
  throw toScheduleError(`${words.length} fields`, { position, expected });
}

function readEvery(period: Word, timezone: string): Schedule {
  const periodMs = toPeriodMs(period.text, period.position);
  if (periodMs > HORIZON_DAYS * 86_400_000) {
    throw new FnbusError("schedule_never", "The schedule comes due less than once in eight years.");
  }
  // Counted from 1970, so that every replica has the same ticks (I7).
  return { timezone, next: (afterMs) => (Math.floor(afterMs / periodMs) + 1) * periodMs };
}

function read(text: string, { syntax, timezone: told = defaultTicking.timezone }: ScheduleOptions): Schedule {
  if (text.length > LONGEST) {
    throw toScheduleError("The schedule goes on", { position: LONGEST + 1, expected: `at most ${LONGEST} characters` });
  }
  let words = toWords(text);
  const prefix = /^(?:CRON_)?TZ=(.*)$/.exec(words[0]?.text ?? "");
  const timezone = prefix?.[1] ?? told;
  const zone = toZone(timezone);
  if (prefix) words = words.slice(1);
  const [first] = words;
  if (!first) {
    const position = text.length + 1;
    throw toScheduleError("The schedule is empty", { position, expected: 'fields such as "*/5 * * * *", or @daily' });
  }
  if (first.text.startsWith("@")) {
    const name = syntax === "standard" ? first.text.toLowerCase() : first.text;
    const extra = words[name === "@every" ? 2 : 1];
    if (extra) {
      throw toScheduleError(`"${extra.text.slice(0, 16)}" is too much`, {
        position: extra.position,
        expected: "nothing more",
      });
    }
    const after: Word = { text: "", position: first.position + first.text.length };
    if (name === "@every") return readEvery(words[1] ?? after, timezone);
    const known = Object.hasOwn(descriptors, name) ? descriptors[name] : undefined;
    if (known === undefined) {
      const expected = `${Object.keys(descriptors).join(", ")} or @every with a duration`;
      throw toScheduleError(`"${first.text.slice(0, 16)}" is not known`, { position: first.position, expected });
    }
    words = toWords(known);
  }
  const six = toSix(words, syntax).map((word, at) =>
    toFieldText(word.text, word.position, forms[at]!, syntax === "standard"),
  );
  const fields = toFields(
    six.map(({ text: field }) => field),
    six[3]!.restricted && six[5]!.restricted,
  );
  return { timezone, next: (afterMs) => nextInZone(fields, zone, afterMs) };
}

/**
 * Reads a schedule. `standard`: five fields minute first, or six with seconds first; `functiongraph`: seconds always, day
 * of week optional (wire-compatibility.md 5.3). Both take @daily and its like, `@every 1h30m`, and a CRON_TZ= prefix.
 * Throws FnbusError `schedule_invalid` with `details.position` (from 1), `timezone_unknown`, `schedule_never`.
 */
export function parseSchedule(text: string, options: ScheduleOptions): Schedule {
  const key = `${options.syntax} ${options.timezone} ${text}`;
  const known = kept.get(key);
  if (known) return known;
  const schedule = read(text, options);
  if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, schedule);
  return schedule;
}
