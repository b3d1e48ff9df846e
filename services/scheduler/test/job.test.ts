import { defaultSettings, type RegisteredFunction, type TriggerOf } from "@fnbus/contract";
import type { SourceStatus } from "@fnbus/sources";
import { describe, expect, it } from "vitest";
import { toTestedTick, toTimerCall } from "../src/core/calls.ts";
import { createJob, toCounts, toJobSource, toStart, toTickCall } from "../src/core/job.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-03-29T12:00:00Z");
const status = {} as SourceStatus;
const to = (createdAt = 0, updatedAt = createdAt): RegisteredFunction => ({
  definition: {
    ...{ id: "f-1", space: "test", name: "report", partition: 0, status: "Running", createdAt, updatedAt },
    settings: { ...defaultSettings, runtime: "nodejs", handler: "index.handler" },
  },
  revision: 1,
});
const timer = (config: Partial<TriggerOf<"timer">["config"]> = {}, updatedAt = 0): TriggerOf<"timer"> => ({
  ...{ id: "t-1", incarnation: "i-1", space: "test", name: "nightly", description: "", enabled: true },
  ...{ type: "timer", function: { name: "report", qualifier: "latest" }, createdAt: 0, updatedAt },
  config: { schedule: "0 3 * * *", ...config },
});
const cron = (updatedAt = 0): TriggerOf<"cron"> => ({
  ...timer({}, updatedAt),
  type: "cron",
  name: "cron",
  config: {},
});
const jobOf = (trigger: TriggerOf<"timer"> | TriggerOf<"cron">, text = "0 3 * * *") =>
  createJob({ trigger, to: to(), text, status, toCall: toTimerCall });

describe("a schedule begins", () => {
  it("where the ledger's mark is, however its trigger was changed since (L10)", () => {
    expect(toStart(jobOf(timer({}, NOW)), to(), NOW - 5 * HOUR, NOW)).toBe(NOW - 5 * HOUR);
  });

  it("without a mark, when it or its function was made, so that it fires for no time before", () => {
    expect(toStart(jobOf(timer({}, NOW - HOUR)), to(NOW - 2 * HOUR), null, NOW)).toBe(NOW - HOUR);
    expect(toStart(jobOf(timer({}, NOW - 3 * HOUR)), to(NOW - 2 * HOUR, NOW), null, NOW)).toBe(NOW - 2 * HOUR);
    // A function's own schedule may be what was changed about it.
    expect(toStart(jobOf(cron(NOW - 3 * HOUR)), to(NOW - 2 * HOUR, NOW), null, NOW)).toBe(NOW);
  });

  it("without a mark, a day back at most: an older one may have been forgotten", () => {
    expect(toStart(jobOf(timer()), to(), null, NOW)).toBe(NOW - 24 * HOUR);
  });
});

describe("what a schedule counts", () => {
  const source = (trigger: TriggerOf<"timer">) => toJobSource(jobOf(trigger, trigger.config.schedule), to());

  it("is its text and zone, whatever the spaces between", () => {
    expect(toCounts(timer(), " 0  3 * * *")).toBe(toCounts(timer(), "0 3 * * *"));
    expect(source(timer({ catchUp: "all", overlap: "skip", userEvent: "x" }))).toBe(source(timer()));
  });

  it("is another where text, zone, syntax or incarnation differ", () => {
    const all = [
      timer(),
      timer({ schedule: "0 4 * * *" }),
      timer({ timezone: "Europe/Berlin" }),
      timer({ syntax: "functiongraph" }),
      { ...timer(), incarnation: "i-2" },
    ].map(source);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe("the call of a tick", () => {
  it("has its time as position, its overlap policy, and FunctionGraph's event (5.3)", () => {
    const trigger = timer({ timezone: "America/New_York", overlap: "skip", userEvent: "User Event" });
    const tick = Date.parse("2026-06-01T07:00:00Z");
    const call = toTickCall(jobOf(trigger), to(), tick);
    expect(call).toMatchObject({ kind: "event", overlap: "skip", position: { first: tick, last: tick } });
    expect(JSON.parse(Buffer.from(call.body).toString("utf8"))).toEqual({
      version: "v1.0",
      time: "2026-06-01T03:00:00-04:00",
      trigger_type: "TIMER",
      trigger_name: "nightly",
      user_event: "User Event",
    });
  });

  it("that is tried out has the time that it is told, or now", () => {
    expect(toTestedTick(undefined, NOW + 5)).toBe(NOW);
    expect(toTestedTick({ time: "2026-03-01T08:30:00+01:00" }, NOW)).toBe(Date.parse("2026-03-01T07:30:00Z"));
    for (const event of ["now", 5, {}, { time: 5 }, { time: "soon" }]) {
      expect(() => toTestedTick(event, NOW)).toThrow(expect.objectContaining({ code: "event_malformed" }));
    }
  });
});
