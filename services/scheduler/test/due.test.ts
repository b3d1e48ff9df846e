import { parseSchedule, type Schedule } from "@fnbus/sources";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countSkipped, MOST_CAUGHT_UP, newestTick, ON_TIME_MS, toDue } from "../src/core/due.ts";
import { DueHeap, NOWHERE } from "../src/core/due-heap.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse("2026-06-01T00:00:00Z");
const standard = (text: string) => parseSchedule(text, { syntax: "standard", timezone: "Europe/Berlin" });
const hourly = standard("@hourly");
const at = (hours: number) => START + hours * HOUR;
const none = { catchUp: "none", catchUpWindowMs: 24 * HOUR } as const;
const last = { catchUp: "last", catchUpWindowMs: 24 * HOUR } as const;
const all = { catchUp: "all", catchUpWindowMs: 24 * HOUR } as const;

function missedOf(schedule: Schedule, after: number, now: number): number[] {
  const missed: number[] = [];
  for (let tick = schedule.next(after); tick !== undefined && tick <= now; tick = schedule.next(tick))
    missed.push(tick);
  return missed;
}

describe("what is due", () => {
  it("is nothing before the next tick, whatever the clock was put back to", () => {
    for (const policy of [none, last, all]) {
      expect(toDue(hourly, at(3), at(3.9), policy)).toEqual({ ticks: [] });
      expect(toDue(hourly, at(3), at(-20), policy)).toEqual({ ticks: [] });
    }
  });

  it("is a tick that is late by up to a minute, whatever the policy", () => {
    for (const policy of [none, { ...none, catchUpWindowMs: 0 }, last, all]) {
      expect(toDue(hourly, at(3), at(4) + ON_TIME_MS, policy)).toEqual({ ticks: [at(4)] });
    }
    expect(toDue(hourly, at(3), at(4) + ON_TIME_MS + 1, none)).toEqual({
      ticks: [],
      skipped: { from: at(4), until: at(4) },
    });
  });

  it("is the newest missed tick under last, and what is left out is told", () => {
    expect(toDue(hourly, at(3), at(7.5), last)).toEqual({ ticks: [at(7)], skipped: { from: at(4), until: at(6) } });
  });

  it("is every missed tick in order under all", () => {
    expect(toDue(hourly, at(3), at(7.5), all)).toEqual({ ticks: [at(4), at(5), at(6), at(7)] });
  });

  it("goes no further back than the window", () => {
    const window = { catchUpWindowMs: 2 * HOUR };
    expect(toDue(hourly, at(3), at(7.5), { ...all, ...window })).toEqual({
      ticks: [at(6), at(7)],
      skipped: { from: at(4), until: at(5) },
    });
    const daily = standard("@daily");
    expect(toDue(daily, START - 24 * HOUR, START + 5 * HOUR, { ...last, ...window }).ticks).toEqual([]);
  });

  it("is a thousand missed ticks at most, the newest (I11)", () => {
    const due = toDue(standard("* * * * * *"), START, START + HOUR, all);
    expect(due.ticks).toHaveLength(MOST_CAUGHT_UP);
    expect(due.ticks.at(-1)).toBe(START + HOUR);
    expect(due.skipped).toEqual({ from: START + 1000, until: due.ticks[0]! - 1000 });
    expect(countSkipped(standard("* * * * * *"), due.skipped!, 10_000)).toBe(2600);
  });

  it("and what is left out are all ticks that were missed, under every policy", () => {
    const texts = ["* * * * *", "*/7 * * * *", "30 2 * * *", "@every 90s", "0 0 1 * *", "15,45 3-9/2 * * 1-5"];
    const property = fc.property(
      fc.constantFrom(...texts),
      fc.integer({ min: 0, max: 300 * 86_400 }),
      fc.integer({ min: 0, max: 3 * 86_400 }),
      fc.constantFrom("none" as const, "last" as const, "all" as const),
      fc.constantFrom(0, HOUR, 24 * HOUR, 31 * 24 * HOUR),
      (text, begin, pause, catchUp, catchUpWindowMs) => {
        const schedule = standard(text);
        const after = START + begin * 1000;
        const now = after + pause * 1000 + 500;
        const missed = missedOf(schedule, after, now);
        const { ticks, skipped } = toDue(schedule, after, now, { catchUp, catchUpWindowMs });
        const left = skipped ? missed.filter((tick) => tick >= skipped.from && tick <= skipped.until) : [];
        expect([...left, ...ticks]).toEqual(missed);
        expect(newestTick(schedule, after, now)).toBe(missed.at(-1));
        if (skipped) expect(countSkipped(schedule, skipped, 10_000)).toBe(left.length);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });
});

describe("the heap", () => {
  it("gives what is due in order of time, whatever was added, moved and removed", () => {
    const step = fc.record({
      what: fc.constantFrom("set" as const, "remove" as const, "take" as const),
      item: fc.nat(40),
      time: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const heap = new DueHeap<{ place: number; name: number }>();
        const items = Array.from({ length: 41 }, (_, name) => ({ place: NOWHERE, name }));
        const model = new Map<number, number>();
        for (const { what, item, time } of steps) {
          if (what === "set") {
            heap.set(items[item]!, time);
            model.set(item, time);
          } else if (what === "remove") {
            heap.remove(items[item]!);
            model.delete(item);
          } else {
            const earliest = Math.min(...model.values());
            expect(heap.firstAt).toBe(earliest);
            const taken = heap.takeDue(time);
            if (earliest > time) expect(taken).toBeUndefined();
            else {
              expect(model.get(taken!.name)).toBe(earliest);
              model.delete(taken!.name);
            }
          }
          expect(heap.size).toBe(model.size);
        }
      }),
    );
  });
});
