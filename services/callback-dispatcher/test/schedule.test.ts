import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../src/core/judgement.ts";
import { delayAfter, parseDuration, parseRetryAfter, parseSchedule, RETRY_AFTER_CAP_MS } from "../src/core/schedule.ts";

const schedule = parseSchedule("5s,30s,5m,30m,2h,5h,10h,10h");
const now = Date.parse("2026-11-21T10:00:00Z");

describe("the schedule", () => {
  it("is read with its units, and anything else is refused", () => {
    expect(schedule).toEqual([5, 30, 300, 1800, 7200, 18_000, 36_000, 36_000].map((seconds) => seconds * 1000));
    expect(parseDuration("250ms")).toBe(250);
    for (const text of ["", "5", "s", "-5s", "1.5s", "5 s", "5x", "9999999999s"])
      expect(() => parseDuration(text)).toThrow(RangeError);
  });

  it("spreads each delay by at most 20 % and ends after its last", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.double({ min: 0, max: 1, noNaN: true }), (failed, random) => {
        const delay = delayAfter(schedule, failed, undefined, random)!;
        expect(delay).toBeGreaterThanOrEqual(schedule[failed - 1]! * 0.8 - 1);
        expect(delay).toBeLessThanOrEqual(schedule[failed - 1]! * 1.2 + 1);
      }),
    );
    expect(delayAfter(schedule, 9, undefined, 0.5)).toBeUndefined();
  });
});

describe("Retry-After", () => {
  it.each<[string | undefined, number | undefined]>([
    ["0", 0],
    ["120", 120_000],
    ["Sat, 21 Nov 2026 10:02:00 GMT", 120_000],
    ["Sat, 21 Nov 2026 09:00:00 GMT", 0],
    ["1000000000", RETRY_AFTER_CAP_MS],
    ["Sat, 21 Nov 2099 09:00:00 GMT", RETRY_AFTER_CAP_MS],
    ["99999999999999999999999999", RETRY_AFTER_CAP_MS],
    ["-5", undefined],
    ["1e9", undefined],
    ["NaN", undefined],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%s is %s ms, never above 24 h", (text, expected) => {
    expect(parseRetryAfter(text, now)).toBe(expected);
  });

  it("lengthens a delay and never shortens it", () => {
    expect(delayAfter([5000], 1, 60_000, 0.5)).toBe(60_000);
    expect(delayAfter([5000], 1, 10, 0.5)).toBe(5000);
  });
});

describe("what follows from an answer", () => {
  const verdict = (statusCode: number, attempt = 1) => judge({ statusCode }, attempt, schedule, 0.5).verdict;

  it.each([200, 201, 204, 299])("%i is delivered", (status) => expect(verdict(status)).toBe("delivered"));
  it("410 is final at once", () => {
    expect(judge({ statusCode: 410 }, 1, schedule, 0.5)).toMatchObject({
      verdict: "give-up",
      errorCode: "callback_gone",
    });
  });
  it.each([408, 425, 429, 500, 502, 503, 504, 599])("%i is tried again until the schedule is used up", (status) => {
    expect(verdict(status, 8)).toBe("retry");
    expect(verdict(status, 9)).toBe("give-up");
  });
  it.each([301, 302, 307, 400, 401, 403, 404, 422])("%i is tried again three times", (status) => {
    expect(verdict(status, 3)).toBe("retry");
    expect(verdict(status, 4)).toBe("give-up");
  });
  it("no answer is tried again as scheduled, a forbidden address three times", () => {
    const failed = { errorCode: "callback_failed", message: "ECONNREFUSED" } as const;
    expect(judge(failed, 8, schedule, 0.5).verdict).toBe("retry");
    expect(judge({ ...failed, errorCode: "callback_url_forbidden" }, 4, schedule, 0.5).verdict).toBe("give-up");
  });
  it("no status and no try number leaves a callback without an end or a next try", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 50 }), (statusCode, attempt) => {
        const judgement = judge({ statusCode }, attempt, schedule, 0.5);
        if (attempt > schedule.length) expect(judgement.verdict).not.toBe("retry");
        if (judgement.verdict === "retry") expect(judgement.delayMs).toBeGreaterThan(0);
      }),
    );
  });
});
