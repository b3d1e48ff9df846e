import { describe, expect, it } from "vitest";
import { nextRuns, parseSchedule, toZonedTime } from "../src/index.ts";

const runs = (text: string, timezone: string, from: string, count: number): string[] =>
  nextRuns(parseSchedule(text, { syntax: "standard", timezone }), Date.parse(from), count).map((ms) =>
    toZonedTime(ms, timezone),
  );

describe("a schedule where clocks are put forward", () => {
  it("has what is left out as much later, once: 02:30 at 03:30 (Europe/Berlin)", () => {
    expect(runs("30 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", 2)).toEqual([
      "2026-03-29T03:30:00+02:00",
      "2026-03-30T02:30:00+02:00",
    ]);
  });

  it("has the same ticks for who begins to count in the hour after (I7)", () => {
    const [tick] = runs("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 1);
    expect(runs("30 2 * * *", "Europe/Berlin", "2026-03-29T01:10:00Z", 1)).toEqual([tick]);
  });

  it("does not fire twice where the later time is due anyway", () => {
    expect(runs("30 2,3 * * *", "America/New_York", "2026-03-08T05:00:00Z", 2)).toEqual([
      "2026-03-08T03:30:00-04:00",
      "2026-03-09T02:30:00-04:00",
    ]);
  });

  it("has a day that begins at 01:00 (Africa/Cairo)", () => {
    expect(runs("@daily", "Africa/Cairo", "2026-04-23T10:00:00Z", 2)).toEqual([
      "2026-04-24T01:00:00+03:00",
      "2026-04-25T00:00:00+03:00",
    ]);
  });

  it("is half an hour late where clocks go half an hour forward (Australia/Lord_Howe)", () => {
    expect(runs("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2)).toEqual([
      "2026-10-04T02:45:00+11:00",
      "2026-10-05T02:15:00+11:00",
    ]);
  });

  it("is a day late where a day was left out (Pacific/Apia, 30 December 2011)", () => {
    expect(runs("0 12 30 * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 2)).toEqual([
      "2011-12-31T12:00:00+14:00",
      "2012-01-30T12:00:00+14:00",
    ]);
  });
});

describe("a schedule where clocks are put back", () => {
  it("has what comes twice the first time only (America/New_York)", () => {
    expect(runs("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2)).toEqual([
      "2026-11-01T01:30:00-04:00",
      "2026-11-02T01:30:00-05:00",
    ]);
    // Between the two: the first was it.
    expect(runs("30 1 * * *", "America/New_York", "2026-11-01T05:40:00Z", 1)).toEqual(["2026-11-02T01:30:00-05:00"]);
  });

  it("of every hour keeps every hour (Europe/Berlin)", () => {
    expect(runs("30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4)).toEqual([
      "2026-10-25T01:30:00+02:00",
      "2026-10-25T02:30:00+02:00",
      "2026-10-25T02:30:00+01:00",
      "2026-10-25T03:30:00+01:00",
    ]);
  });

  it("of every so many minutes goes on through the half hour that comes twice (Australia/Lord_Howe)", () => {
    expect(runs("*/20 * * * *", "Australia/Lord_Howe", "2026-04-04T14:30:00Z", 3)).toEqual([
      "2026-04-05T01:40:00+11:00",
      "2026-04-05T01:40:00+10:30",
      "2026-04-05T02:00:00+10:30",
    ]);
  });

  it("at midnight is due once where midnight comes twice (America/Havana)", () => {
    expect(runs("@daily", "America/Havana", "2026-10-31T12:00:00Z", 2)).toEqual([
      "2026-11-01T00:00:00-04:00",
      "2026-11-02T00:00:00-05:00",
    ]);
  });
});

it("a schedule in a zone without summer time goes by its half hours (Asia/Kolkata)", () => {
  expect(runs("0 0 * * *", "Asia/Kolkata", "2026-03-28T00:00:00Z", 2)).toEqual([
    "2026-03-29T00:00:00+05:30",
    "2026-03-30T00:00:00+05:30",
  ]);
});
