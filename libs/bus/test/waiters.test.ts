import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createWaiters, type Waiter, type Waiters } from "../src/waiters.ts";

describe("who waits for an answer", () => {
  let late: string[] = [];
  let waiters: Waiters<string>;
  const start = () => {
    late = [];
    waiters = createWaiters<string>(({ subject }) => late.push(subject));
  };
  afterEach(() => waiters.stop());
  const waiter = (subject: string, inMs: number): Waiter<string> => ({
    subject,
    endsAt: performance.now() + inMs,
    resolve: () => {},
    reject: () => {},
  });

  it("is taken once, by a token that nobody gets again though its place is", () => {
    start();
    const first = waiters.add(waiter("first", 1_000));
    expect(waiters.take(first)?.subject).toBe("first");
    const second = waiters.add(waiter("second", 1_000));
    expect([waiters.take(first), waiters.take("0"), waiters.take("i1"), waiters.take("")]).toEqual(
      Array(4).fill(undefined),
    );
    expect(waiters.take(second)?.subject).toBe("second");
  });

  it("is told when its own time is over, whoever waits longer or came later", async () => {
    start();
    waiters.add(waiter("long", 60_000));
    waiters.add(waiter("short", 30));
    const answered = waiters.add(waiter("answered", 10));
    waiters.take(answered);
    await sleep(80);
    expect(late).toEqual(["short"]);
    waiters.add(waiter("later", 20));
    await sleep(60);
    expect(late).toEqual(["short", "later"]);
    expect(waiters.takeAll(() => true).map(({ subject }) => subject)).toEqual(["long"]);
  });

  it("no interval runs on when nobody waits", async () => {
    start();
    waiters.take(waiters.add(waiter("only", 1_000)));
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    await sleep(50);
    expect(timers()).toBeLessThan(before);
  });
});
