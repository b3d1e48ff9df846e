import type { Bus } from "@fnbus/bus";
import { describe, expect, it } from "vitest";
import { type Doors, perform } from "../src/app-actions.ts";
import type { Action, Core } from "../src/core/index.ts";
import { createDriver } from "../src/driver.ts";
import { createFrameCache, type FrameCache } from "../src/envelopes/cache.ts";
import { createBrokerClock } from "../src/in/broker-clock.ts";
import { createWaiters } from "../src/look-up/waiters.ts";
import { sendVerdicts } from "../src/out/verdicts.ts";

describe("the broker's clock", () => {
  it("is not set back by old time stamps of a replay (L6)", () => {
    let mono = 0;
    const clock = createBrokerClock(
      () => mono,
      () => 500,
    );
    expect(clock.now()).toBe(500);
    clock.saw(10_000);
    mono = 50;
    clock.saw(3000);
    expect(clock.now()).toBe(10_050);
  });

  it("follows a broker whose clock was set back, once its old stamps are out of date", () => {
    let mono = 0;
    const clock = createBrokerClock(
      () => mono,
      () => 0,
    );
    clock.saw(100_000);
    for (mono = 1000; mono <= 40_000; mono += 1000) clock.saw(50_000 + mono);
    expect(clock.now()).toBe(50_000 + mono);
  });
});

describe("the cache of frames", () => {
  const place = (sequence: number, index = 0) => ({ stream: "invocations" as const, sequence, index });
  /** A pack of frames behind a head of two bytes. */
  const add = (cache: FrameCache, sequence: number, ...frames: string[]) => {
    const starts = frames.map((_, index) => 2 + frames.slice(0, index).join("").length);
    const heads = frames.map(({ length }, index) => ({ offset: starts[index]!, bytes: length }));
    const pack = Buffer.from(`--${frames.join("")}`);
    cache.add(sequence, pack, heads);
    return pack;
  };
  const textAt = (cache: FrameCache, sequence: number, index = 0) => cache.get(place(sequence, index))?.toString();

  it("holds a copy, so that a pack never pins what it was read into (L28)", () => {
    const cache = createFrameCache(100);
    add(cache, 1, "abc", "defg").fill(0);
    expect([textAt(cache, 1, 0), textAt(cache, 1, 1), textAt(cache, 1, 2)]).toEqual(["abc", "defg", undefined]);
  });

  it("never holds more than its bound, and lets go of what came first (I11)", () => {
    const cache = createFrameCache(100);
    for (let sequence = 1; sequence <= 10; sequence++) add(cache, sequence, "x".repeat(28));
    expect(cache.bytes).toBe(90);
    expect(cache.get(place(7))).toBeUndefined();
    expect(cache.get(place(8))).toBeDefined();
  });

  it("keeps a pack, and counts it, until none of its frames is needed", () => {
    const cache = createFrameCache(100);
    add(cache, 1, "first", "second");
    cache.delete(1, 0);
    cache.delete(1, 0);
    expect([textAt(cache, 1, 0), textAt(cache, 1, 1), cache.bytes]).toEqual([undefined, "second", 13]);
    cache.delete(1, 1);
    expect([textAt(cache, 1, 1), cache.bytes]).toEqual([undefined, 0]);
  });

  it("tells two frames of one id apart by their places", () => {
    const cache = createFrameCache(100);
    add(cache, 1, "first");
    add(cache, 2, "conflict");
    cache.delete(2, 0);
    expect(textAt(cache, 1)).toBe("first");
    expect(cache.get({ ...place(1), stream: "parked" })).toBeUndefined();
  });
});

describe("the driver", () => {
  it("lets an event that an action gives rise to wait for its turn", () => {
    const order: string[] = [];
    const core = {
      view: {},
      apply(event: { type: string }): Action[] {
        order.push(event.type);
        return event.type === "tick" ? [{ do: "read-tail" }, { do: "read-tail" }] : [];
      },
    } as unknown as Core;
    const driver = createDriver(
      core,
      () => ({ mono: 0, broker: 0, leaseSafe: true }),
      () => {
        order.push("performed");
        driver.apply({ type: "lease-lost" });
      },
    );
    driver.apply({ type: "tick" });
    expect(order).toEqual(["tick", "performed", "performed", "lease-lost", "lease-lost"]);
  });
});

describe("the core's actions", () => {
  it("are all begun, whatever the bus refuses at once: an append that is never begun would be awaited for ever", () => {
    const begun: string[] = [];
    const failures: unknown[] = [];
    const doors = {
      bus: {
        isConnected: () => true,
        publish() {
          throw new Error("the broker does not read");
        },
      },
      outcomes: { append: () => begun.push("append") },
      failed: (error: unknown) => failures.push(error),
    } as unknown as Doors;
    const append = { do: "append", expected: 0, head: { epoch: 1, partition: 0, applied: 0 }, records: [] } as const;
    const core = {
      view: {},
      apply: (): Action[] => [{ do: "verdicts", inbox: "_INBOX.a.1", verdicts: [] }, append],
    } as unknown as Core;
    const now = () => ({ mono: 0, broker: 0, leaseSafe: true });
    createDriver(core, now, (action) => perform(doors, action)).apply({ type: "tick" });
    expect(begun).toEqual(["append"]);
    expect(failures).toHaveLength(1);
  });

  it("answer verdicts to inboxes alone, whatever a message names (L11)", () => {
    const sent: string[] = [];
    const bus = { isConnected: () => true, publish: (subject: string) => sent.push(subject) } as unknown as Bus;
    for (const inbox of ["_INBOX.a.1", "_INBOX_gateway.a.1", "_INBOX.a b c", "_INBOX.>", "_INBOX", "work.e1"])
      sendVerdicts(bus, inbox, []);
    expect(sent).toEqual(["_INBOX.a.1", "_INBOX_gateway.a.1"]);
  });
});

describe("waiters", () => {
  it("hear the end, or nothing when their time is over, and are forgotten either way (I11)", async () => {
    const waiters = createWaiters<string>();
    const first = waiters.wait("a", 1000);
    const second = waiters.wait("a", 1);
    expect(await second.ended).toBeUndefined();
    waiters.tell("a", "ended");
    expect(await first.ended).toBe("ended");
    expect(waiters.has("a")).toBe(false);
  });

  it("are at most twenty thousand (I11)", () => {
    const waiters = createWaiters<string>();
    for (let number = 0; number < 20_000; number++) waiters.wait("a", 60_000);
    expect(() => waiters.wait("b", 60_000)).toThrow("too many callers");
    waiters.close();
  });
});
