import { CronExpressionParser } from "cron-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextRuns, parseSchedule } from "../src/index.ts";

/**
 * Schedules against two others that know the same: a model that goes through time minute by minute with the platform's
 * calendar, and cron-parser, which is right wherever no clock is put forward or back.
 */
const zones = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kolkata",
  "America/Sao_Paulo",
  "Africa/Cairo",
  "Pacific/Apia",
  "Africa/Casablanca",
  "UTC",
];
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const bounds = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;

interface Field {
  text: string;
  values: Set<number>;
  star: boolean;
}
const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, nth) => from + nth * step);

const part = (min: number, max: number): fc.Arbitrary<{ text: string; values: number[]; star: boolean }> =>
  fc.oneof(
    fc.constant({ text: "*", values: range(min, max), star: true }),
    fc.integer({ min, max }).map((value) => ({ text: `${value}`, values: [value], star: false })),
    fc
      .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min: 1, max: 9 }))
      .map(([one, other, step]) => [Math.min(one, other), Math.max(one, other), step] as const)
      .map(([from, to, step]) => ({ text: `${from}-${to}/${step}`, values: range(from, to, step), star: false })),
    fc
      .tuple(fc.integer({ min, max }), fc.integer({ min: 1, max: 40 }))
      .map(([from, step]) => ({ text: `${from}/${step}`, values: range(from, max, step), star: false })),
    fc.integer({ min: 2, max: 30 }).map((step) => ({ text: `*/${step}`, values: range(min, max, step), star: false })),
  );
const field = ([min, max]: readonly [number, number]): fc.Arbitrary<Field> =>
  fc.array(part(min, max), { minLength: 1, maxLength: 3 }).map((parts) => ({
    text: parts.map(({ text }) => text).join(","),
    values: new Set(parts.flatMap(({ values }) => values)),
    star: parts.some(({ star }) => star),
  }));
const fields = fc.tuple(...bounds.map(field)) as fc.Arbitrary<[Field, Field, Field, Field, Field]>;

const formats = new Map(
  zones.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat("en-US", {
      ...{ timeZone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric" },
      minute: "numeric",
    }),
  ]),
);
/** The wall clock as a number that may be compared: ms of the same digits in UTC. */
function wallAt(zone: string, ms: number): number {
  const parts = Object.fromEntries(
    formats
      .get(zone)!
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  return Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!);
}

/** Each minute of [from, to), by walking through it; what it does about changed clocks is docs/triggers-schedules.md told anew. */
function modelTicks(
  [minutes, hours, days, months, weekdays]: readonly Field[],
  zone: string,
  from: number,
  to: number,
) {
  const matches = (wall: number): boolean => {
    const date = new Date(wall);
    const inMonth = days!.values.has(date.getUTCDate());
    const inWeek = weekdays!.values.has(date.getUTCDay());
    return (
      minutes!.values.has(date.getUTCMinutes()) &&
      hours!.values.has(date.getUTCHours()) &&
      months!.values.has(date.getUTCMonth() + 1) &&
      (days!.star || weekdays!.star ? inMonth && inWeek : inMonth || inWeek)
    );
  };
  const everyHour = hours!.values.size === 24;
  const ticks = new Set<number>();
  // What was on the clock within the last day, so that a second time is known.
  const seen = new Set<number>();
  let before: number | undefined;
  for (let at = from - 2 * DAY; at < to; at += MINUTE) {
    const wall = wallAt(zone, at);
    if (matches(wall) && (everyHour || !seen.has(wall))) ticks.add(at);
    // Left out: each minute between comes as much later as the clock was put forward.
    for (let gap = (before ?? wall) + MINUTE; gap < wall; gap += MINUTE) {
      seen.add(gap);
      if (matches(gap)) ticks.add(at + (gap - before! - MINUTE));
    }
    seen.add(wall);
    before = wall;
  }
  return [...ticks].filter((tick) => tick >= from && tick < to).sort((one, other) => one - other);
}

/** Moments around which a zone's clocks change, and any others. */
const starts = [
  "2026-03-28T20:00:00Z",
  "2026-10-24T20:00:00Z",
  "2026-03-08T04:00:00Z",
  "2026-11-01T03:00:00Z",
  "2026-10-03T13:00:00Z",
  "2026-04-04T12:00:00Z",
  "2026-04-23T20:00:00Z",
  "2026-10-29T18:00:00Z",
  "2018-11-03T20:00:00Z",
  "2018-02-17T20:00:00Z",
  "2011-12-29T08:00:00Z",
  "2026-02-15T00:00:00Z",
  "2026-03-22T00:00:00Z",
  "2024-02-28T12:00:00Z",
  "2025-12-31T12:00:00Z",
].map((text) => Date.parse(text));

const toText = (all: readonly Field[]) => all.map(({ text }) => text).join(" ");
const possible = (all: readonly Field[]) => {
  try {
    parseSchedule(toText(all), { syntax: "standard" });
    return true;
  } catch {
    return false;
  }
};

describe("a schedule", () => {
  it("has the ticks that going through its zone minute by minute finds (I7)", () => {
    const property = fc.property(
      fields.filter(possible),
      fc.constantFrom(...zones),
      fc.constantFrom(...starts),
      (all, timezone, from) => {
        const schedule = parseSchedule(toText(all), { syntax: "standard", timezone });
        const to = from + 12 * 60 * MINUTE;
        const expected = modelTicks(all, timezone, from, to);
        const found = nextRuns(schedule, from - 1, expected.length + 1).filter((tick) => tick < to);
        expect(found).toEqual(expected);
      },
    );
    fc.assert(property, { numRuns: 100 });
  });

  it("has the same next tick for everybody who has not reached it yet (I7)", () => {
    const property = fc.property(
      fields.filter(possible),
      fc.constantFrom(...zones),
      fc.constantFrom(...starts),
      fc.integer({ min: 0, max: 36 * 3600 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (all, timezone, start, seconds, share) => {
        const { next } = parseSchedule(toText(all), { syntax: "standard", timezone });
        const from = start + seconds * 1000;
        const tick = next(from);
        if (tick === undefined) return;
        expect(tick).toBeGreaterThan(from);
        expect(next(Math.min(tick - 1, Math.floor(from + (tick - from) * share)))).toBe(tick);
      },
    );
    fc.assert(property, { numRuns: 1500 });
  });

  it("is cron-parser's wherever no clock is changed", () => {
    const property = fc.property(
      fields.filter(possible),
      fc.constantFrom("UTC", "Asia/Kolkata", "America/Sao_Paulo"),
      // Sao Paulo has changed no clock since 2019.
      fc.integer({ min: Date.parse("2020-01-01") / 1000, max: Date.parse("2035-01-01") / 1000 }),
      (all, timezone, seconds) => {
        // It takes a list of all days as no restriction, and robfig/cron does not: only there they differ.
        const [, , days, , weekdays] = all;
        if ((!days.star && days.values.size === 31) || (!weekdays.star && weekdays.values.size === 7)) return;
        // It refuses lists whose parts overlap.
        const text = all.map(({ star, values }) => (star ? "*" : [...values].join(","))).join(" ");
        const theirs = CronExpressionParser.parse(text, { tz: timezone, currentDate: new Date(seconds * 1000) });
        const ours = nextRuns(parseSchedule(toText(all), { syntax: "standard", timezone }), seconds * 1000, 3);
        for (const run of ours) expect(theirs.next().getTime()).toBe(run);
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  it("of seconds is every second that its fields allow", () => {
    const [seconds, minutes] = [field([0, 59]), field([0, 59])];
    const property = fc.property(seconds, minutes, (second, minute) => {
      const { next } = parseSchedule(`${second.text} ${minute.text} * * * *`, { syntax: "standard" });
      const from = Date.parse("2026-06-01T23:30:00Z");
      const expected = range(from, from + 3_600_000 - 1000, 1000).filter(
        (ms) => second.values.has((ms / 1000) % 60) && minute.values.has(Math.floor(ms / MINUTE) % 60),
      );
      const found: number[] = [];
      for (let tick = next(from - 1); tick !== undefined && tick < from + 3_600_000; tick = next(tick))
        found.push(tick);
      expect(found).toEqual(expected);
    });
    fc.assert(property, { numRuns: 150 });
  });
});
