import { FnbusError } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { nextRuns, parseSchedule, type ScheduleOptions, toZonedTime } from "../src/index.ts";

const standard: ScheduleOptions = { syntax: "standard" };
const functiongraph: ScheduleOptions = { syntax: "functiongraph" };
const runs = (text: string, from: string, count: number, options = standard): string[] => {
  const schedule = parseSchedule(text, options);
  return nextRuns(schedule, Date.parse(from), count).map((ms) => toZonedTime(ms, schedule.timezone));
};
const faultOf = (text: string, options = standard): FnbusError => {
  try {
    parseSchedule(text, options);
  } catch (error) {
    if (error instanceof FnbusError) return error;
    throw error;
  }
  throw new Error(`${text} was read`);
};

describe("a schedule", () => {
  it("has five fields, or six with seconds first", () => {
    expect(runs("30 8 * * *", "2026-01-01T00:00:00Z", 2)).toEqual(["2026-01-01T08:30:00Z", "2026-01-02T08:30:00Z"]);
    expect(runs("15 30 8 * * *", "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-01T08:30:15Z"]);
  });

  it("has seconds always in FunctionGraph's form, and the day of the week where it wants to (5.3)", () => {
    expect(runs("0 15 10 ? * MON-FRI", "2026-01-03T00:00:00Z", 2, functiongraph)).toEqual([
      "2026-01-05T10:15:00Z",
      "2026-01-06T10:15:00Z",
    ]);
    expect(runs("0 1/3 * * *", "2026-01-01T00:00:00Z", 3, functiongraph)).toEqual([
      "2026-01-01T00:01:00Z",
      "2026-01-01T00:04:00Z",
      "2026-01-01T00:07:00Z",
    ]);
  });

  it.each([
    ["@yearly", "2027-01-01T00:00:00Z"],
    ["@annually", "2027-01-01T00:00:00Z"],
    ["@monthly", "2026-03-01T00:00:00Z"],
    ["@weekly", "2026-02-15T00:00:00Z"],
    ["@daily", "2026-02-12T00:00:00Z"],
    ["@midnight", "2026-02-12T00:00:00Z"],
    ["@hourly", "2026-02-11T14:00:00Z"],
    ["@Daily", "2026-02-12T00:00:00Z"],
  ])("has a name: %s", (text, expected) => {
    expect(runs(text, "2026-02-11T13:14:15Z", 1)).toEqual([expected]);
  });

  it.each([
    ["@every 90s", 90_000],
    ["@every 1h30m", 5_400_000],
    ["@every 1.5h", 5_400_000],
    ["@every 0.1h", 360_000],
    ["@every .5m", 30_000],
    ["@every 3000ms", 3_000],
    ["@every 2000000µs", 2_000],
    ["@every 1.9s", 1_000],
    ["@every 5ns", 1_000],
  ])("comes by a period, in whole seconds and one at least: %s", (text, periodMs) => {
    const { next } = parseSchedule(text, standard);
    const from = Date.parse("2026-02-11T13:14:15.678Z");
    expect(next(from)! % periodMs).toBe(0);
    expect(next(next(from)!)! - next(from)!).toBe(periodMs);
    expect(next(from)! - from).toBeLessThanOrEqual(periodMs);
  });

  it("has the zone of its prefix before that of its trigger", () => {
    const told = { ...standard, timezone: "America/New_York" };
    expect(runs("0 12 * * *", "2026-01-01T00:00:00Z", 1, told)).toEqual(["2026-01-01T12:00:00-05:00"]);
    for (const prefix of ["CRON_TZ", "TZ"]) {
      expect(runs(`${prefix}=Asia/Kolkata 0 12 * * *`, "2026-01-01T00:00:00Z", 1, told)).toEqual([
        "2026-01-01T12:00:00+05:30",
      ]);
    }
  });

  it("takes days of the month or of the week where both are restricted, both where one is not (robfig/cron)", () => {
    expect(runs("0 0 13 * FRI", "2026-01-01T00:00:00Z", 4).map((run) => run.slice(0, 10))).toEqual([
      "2026-01-02",
      "2026-01-09",
      "2026-01-13",
      "2026-01-16",
    ]);
    expect(runs("0 0 13 * ?", "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-13T00:00:00Z"]);
    // A step of one restricts nothing, one of two does.
    expect(runs("0 0 */1 * MON", "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-05T00:00:00Z"]);
    expect(runs("0 0 */2 * MON", "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-03T00:00:00Z"]);
  });

  it("knows Sunday as 0, as 7 in the standard form, by its name, and at the end of a range", () => {
    for (const text of ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * SUN", "0 0 * * 7-7"]) {
      expect(runs(text, "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-04T00:00:00Z"]);
    }
    expect(runs("0 0 * * SAT-SUN", "2026-01-01T00:00:00Z", 3).map((run) => run.slice(8, 10))).toEqual([
      "03",
      "04",
      "10",
    ]);
    expect(faultOf("0 0 0 * * 7", functiongraph).details).toMatchObject({ position: 11, field: "day of week" });
  });

  it.each([
    ["", 1, undefined],
    ["   ", 4, undefined],
    ["* * * *", 8, undefined],
    ["* * * * * * *", 13, undefined],
    ["60 * * * *", 1, "minute"],
    ["* 24 * * *", 3, "hour"],
    ["* * 0 * *", 5, "day of month"],
    ["* * * 13 *", 7, "month"],
    ["* * * * 8", 9, "day of week"],
    ["  0   0 1,32 * *", 11, "day of month"],
    ["*/0 * * * *", 3, "minute"],
    ["*/ * * * *", 3, "minute"],
    ["1/2/3 * * * *", 4, "minute"],
    ["1-2-3 * * * *", 4, "minute"],
    ["30-10 * * * *", 1, "minute"],
    ["1,,2 * * * *", 3, "minute"],
    ["-1 * * * *", 1, "minute"],
    ["0x1 * * * *", 1, "minute"],
    ["0 ? * * *", 3, "hour"],
    ["0 0 L * *", 5, "day of month"],
    ["0 0 15W * *", 5, "day of month"],
    ["0 0 * * 5#3", 9, "day of week"],
    ["0 0 * JUNE *", 7, "month"],
    ["H * * * *", 1, "minute"],
    ["@dayly", 1, undefined],
    ["@daily 5", 8, undefined],
    ["@every", 7, "duration"],
    ["@every 1h30", 12, "duration"],
    ["@every 1d", 9, "duration"],
    ["@every -5m", 8, "duration"],
    ["@every 0s", 8, "duration"],
    ["@every 5m 3", 11, undefined],
    ["CRON_TZ=UTC", 12, undefined],
    [`${"1,".repeat(128)}1 * * * *`, 257, undefined],
  ])("that cannot be read is refused with the place of its fault: %s", (text, position, field) => {
    const error = faultOf(text);
    expect(error.code).toBe("schedule_invalid");
    expect(error.details).toMatchObject({ position, expected: expect.any(String) });
    expect(error.details?.field).toBe(field);
    expect(error.message).toContain(`position ${position}`);
  });

  it.each(["0 0 30 2 *", "0 0 31 4,6,9,11 *", "@every 1000000h"])(
    "that never comes due is refused as such: %s",
    (text) => {
      expect(faultOf(text).code).toBe("schedule_never");
    },
  );

  it.each(["Mars/Phobos", "+02:00", "", "Europe/Berlin;"])("in no zone is refused as such: %s", (timezone) => {
    expect(faultOf("@daily", { ...standard, timezone }).code).toBe("timezone_unknown");
    expect(faultOf(`CRON_TZ=${timezone} 0 0 * * *`).code).toBe("timezone_unknown");
  });

  it("of 29 February comes every four years, and after eight around 2100", () => {
    expect(runs("0 0 29 2 *", "2026-01-01T00:00:00Z", 2).map((run) => run.slice(0, 4))).toEqual(["2028", "2032"]);
    expect(runs("0 0 29 2 *", "2096-03-01T00:00:00Z", 1)).toEqual(["2104-02-29T00:00:00Z"]);
  });
});
