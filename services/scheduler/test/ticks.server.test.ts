import { setTimeout as pause } from "node:timers/promises";
import { parseSchedule, toZonedTime } from "@fnbus/sources";
import { assertSilence, until } from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Platform, startPlatform } from "./platform.ts";

const SECOND = 1_000;
/** Each tick is the one before it and a step more: none is missing, none is there twice. */
const expectSteps = (ticks: number[], stepMs: number) =>
  expect(ticks.slice(1).map((tick, index) => tick - ticks[index]!)).toEqual(ticks.slice(1).map(() => stepMs));

describe("ticks", () => {
  const silence = assertSilence();
  let platform: Platform;
  const replicas: { stop(): Promise<void> }[] = [];
  const startReplica = async (...settings: Parameters<Platform["startReplica"]>) => {
    const replica = await platform.startReplica(...settings);
    replicas.push(replica);
    return replica;
  };
  const startProcess = async () => {
    const child = await platform.startProcess();
    replicas.push(child);
    return child;
  };
  /** So many ticks of it were taken. */
  const untilTicks = async (trigger: Parameters<Platform["ticks"]>[0], count: number, timeoutMs?: number) => {
    await until(`${count} ticks`, async () => (await platform.ticks(trigger)).length >= count, timeoutMs);
    return platform.ticks(trigger);
  };
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterEach(async () => {
    // Triggers of one test are none of the next one's replicas'.
    for (const { trigger } of [...platform.triggers.allTriggers()]) {
      await platform.triggers.deleteTrigger(trigger.space, trigger.name);
    }
    await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
  });
  afterAll(async () => {
    await platform?.stop();
    silence.assert();
  });

  it("fire once each with two replicas, one of which is killed and started again (I7)", async () => {
    await platform.createFunction("twice");
    const before = await platform.totals();
    const [, killed] = await Promise.all([startReplica(), startProcess()]);
    const trigger = await platform.createTimer("twice", { schedule: "@every 1s" });
    await untilTicks(trigger, 3);
    await killed.kill();
    await untilTicks(trigger, 5);
    await startProcess();
    const ticks = await untilTicks(trigger, 8);
    expectSteps(ticks, SECOND);
    expect(ticks[0]).toBeGreaterThan(trigger.createdAt);
    const after = await platform.totals();
    // Both published: what the ledger took is one of each, what it dropped is the other's.
    expect(after.dropped - before.dropped).toBeGreaterThanOrEqual(3);
    expect(after.accepted - before.accepted).toBe((await platform.ticks(trigger)).length);
  });

  it("say in FunctionGraph's form what they are, in the zone of the schedule", async () => {
    await platform.createFunction("formed");
    await startReplica();
    const schedule = "CRON_TZ=Asia/Kolkata * * * * * *";
    const trigger = await platform.createTimer("formed", {
      schedule,
      syntax: "functiongraph",
      userEvent: "User Event",
    });
    const [tick] = await untilTicks(trigger, 1);
    const [envelope] = await platform.taken(trigger);
    expect(envelope!.meta).toMatchObject({ kind: "event", source: "timer", method: "POST", path: "/" });
    expect(envelope!.meta.headers).toEqual([["content-type", "application/json"]]);
    expect(JSON.parse(Buffer.from(envelope!.body).toString("utf8"))).toEqual({
      version: "v1.0",
      time: toZonedTime(tick!, "Asia/Kolkata"),
      trigger_type: "TIMER",
      trigger_name: trigger.name,
      user_event: "User Event",
    });
  });

  it("that passed while every replica was dead are made up for as the policy says (kill -9)", async () => {
    await platform.createFunction("missed");
    const killed = await startProcess();
    const last = await platform.createTimer("missed", { schedule: "@every 1s" });
    const all = await platform.createTimer("missed", { schedule: "@every 1s", catchUp: "all" });
    await Promise.all([untilTicks(last, 2), untilTicks(all, 2)]);
    await killed.kill();
    await pause(4 * SECOND);
    const [lastBefore, allBefore] = [await platform.ticks(last), await platform.ticks(all)];
    await startReplica();
    const lastAfter = await untilTicks(last, lastBefore.length + 3);
    const allAfter = await untilTicks(all, allBefore.length + 7);
    expectSteps(allAfter, SECOND);
    const [missed, ...steady] = lastAfter.slice(lastBefore.length);
    expect(missed! - lastBefore.at(-1)!).toBeGreaterThanOrEqual(4 * SECOND);
    expectSteps([missed!, ...steady], SECOND);
    // What was left out is one record, which says how much it was (I6).
    await until("the record", async () => (await platform.giveUps(last)).length > 0);
    const records = await platform.giveUps(last);
    const left = (missed! - lastBefore.at(-1)!) / SECOND - 1;
    expect(records.map(({ details }) => details)).toEqual([
      expect.objectContaining({ ticks: left, from: lastBefore.at(-1)! + SECOND, until: missed! - SECOND }),
    ]);
    expect(await platform.giveUps(all)).toEqual([]);
  });

  it("that passed long ago fire under none not at all, under last once, under all each (window)", async () => {
    const [now, minute] = [Date.now(), 60 * SECOND];
    const told = now - 15 * minute;
    await platform.createFunction("long-ago", {}, told);
    // Ten minutes, whose last is three minutes ago.
    const minutes = Array.from({ length: 10 }, (_, index) => new Date(now - (12 - index) * minute).getUTCMinutes());
    const timer = (catchUp: "none" | "last" | "all", more = {}) =>
      platform.createTimer("long-ago", { schedule: `${minutes.join(",")} * * * *`, catchUp, ...more }, told);
    const [none, last, all, windowed] = [
      await timer("none"),
      await timer("last"),
      await timer("all"),
      await timer("all", { catchUpWindowMs: 5 * minute }),
    ];
    await startReplica();
    const ticks = await untilTicks(all, 10);
    expectSteps(ticks, minute);
    expect(await untilTicks(last, 1)).toEqual([ticks.at(-1)]);
    expect(await untilTicks(windowed, 1)).toEqual(ticks.filter((tick) => tick >= now - 5 * minute));
    expect(await platform.ticks(none)).toEqual([]);
    expect((await platform.giveUps(windowed)).length).toBe(1);
  });

  it("stop while the trigger is paused, and the last one is made up for when it goes on", async () => {
    await platform.createFunction("paused");
    await startReplica();
    const trigger = await platform.createTimer("paused", { schedule: "@every 1s" });
    await untilTicks(trigger, 2);
    await platform.change(trigger, { enabled: false });
    await until("it is paused", async () => (await platform.report(trigger.id))?.state === "Paused");
    const before = await platform.ticks(trigger);
    await pause(3 * SECOND);
    expect(await platform.ticks(trigger)).toEqual(before);
    const resumedAt = Date.now();
    await platform.change(trigger, { enabled: true });
    const after = await untilTicks(trigger, before.length + 2);
    const made = after[before.length]!;
    expect(made).toBeGreaterThan(resumedAt - SECOND);
    expect(made).toBeLessThanOrEqual(resumedAt + SECOND);
  });

  it("of a changed schedule begin with the change, and none is lost or doubled by it", async () => {
    await platform.createFunction("changed");
    await Promise.all([startReplica(), startReplica()]);
    const trigger = await platform.createTimer("changed", { schedule: "@every 1s" });
    await untilTicks(trigger, 3);
    await platform.change(trigger, { config: { schedule: "*/2 * * * * *" } });
    const changedAt = platform.triggers.triggerById(trigger.id)!.trigger.updatedAt;
    await until(
      "five ticks of it",
      async () => (await platform.ticks(trigger)).filter((tick) => tick > changedAt).length >= 5,
      15_000,
    );
    const bySource = Map.groupBy(await platform.taken(trigger), ({ meta }) => meta.position!.source);
    const [first, second, ...more] = [...bySource.values()].map((taken) =>
      taken.map(({ meta }) => meta.position!.last),
    );
    expect(more).toEqual([]);
    expectSteps(first!, SECOND);
    expectSteps(second!, 2 * SECOND);
    const next = parseSchedule("*/2 * * * * *", { syntax: "standard" }).next(changedAt);
    expect(second![0]).toBe(next);
    // Replicas hear of it within a second.
    expect(first!.at(-1)! - changedAt).toBeLessThanOrEqual(SECOND);
  });
});
