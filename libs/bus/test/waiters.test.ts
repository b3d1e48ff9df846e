import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createWaiters, type Waiter, type Waiters } from "../src/waiters.ts";

describe("who waits for an answer", () => {
  let late: string[] = [];
  let waiters: Waiters<Waiter>;
  const start = () => {
    late = [];
    waiters = createWaiters<Waiter>(({ subject }) => late.push(subject));
  };
  afterEach(() => waiters.stop());
  const waiter = (subject: string, inMs: number): Waiter => ({
    subject,
    endsAt: performance.now() + inMs,
    reject: () => {},
    place: 0,
    count: 0,
  });
  const added = (one: Waiter): Waiter => {
    waiters.add(one);
    return one;
  };

  it("is taken once, by a number that nobody gets again though its place is", () => {
    start();
    const first = added(waiter("first", 1_000));
    expect(waiters.take(first.place, first.count)).toBe(first);
    const second = added(waiter("second", 1_000));
    expect(second.place).toBe(first.place);
    expect([waiters.take(first.place, first.count), waiters.take(0, 0), waiters.take(Number.NaN, 1)]).toEqual(
      Array(3).fill(undefined),
    );
    expect(waiters.take(second.place, second.count)).toBe(second);
  });

  it("is told when its own time is over, whoever waits longer or came later", async () => {
    start();
    waiters.add(waiter("long", 60_000));
    waiters.add(waiter("short", 30));
    const answered = added(waiter("answered", 10));
    waiters.take(answered.place, answered.count);
    await sleep(80);
    expect(late).toEqual(["short"]);
    waiters.add(waiter("later", 20));
    await sleep(60);
    expect(late).toEqual(["short", "later"]);
    expect(waiters.takeAll(() => true).map(({ subject }) => subject)).toEqual(["long"]);
  });

  it("no interval runs on when nobody waits", async () => {
    start();
    const only = added(waiter("only", 1_000));
    waiters.take(only.place, only.count);
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    await sleep(50);
    expect(timers()).toBeLessThan(before);
  });
});
