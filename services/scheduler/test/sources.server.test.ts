import { setTimeout as pause } from "node:timers/promises";
import { assertSilence, until } from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Platform, startPlatform } from "./platform.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
/** Ticks a second apart: none is missing, none is there twice. */
const expectSteps = (ticks: number[]) =>
  expect(ticks.slice(1).map((tick, index) => tick - ticks[index]!)).toEqual(ticks.slice(1).map(() => SECOND));

describe("schedules at work", () => {
  const silence = assertSilence();
  let platform: Platform;
  /** How far the replica's clock is off, ms. */
  let offset = 0;
  let replica: { stop(): Promise<void> };
  beforeAll(async () => {
    platform = await startPlatform();
    replica = await platform.startReplica(() => Date.now() + offset);
  });
  afterEach(async () => {
    offset = 0;
    for (const { trigger } of [...platform.triggers.allTriggers()]) {
      await platform.triggers.deleteTrigger(trigger.space, trigger.name);
    }
  });
  afterAll(async () => {
    await replica?.stop();
    await platform?.stop();
    silence.assert();
  });
  const isAt = (id: string, state: string) => until(state, async () => (await platform.report(id))?.state === state);
  type Timer = Parameters<Platform["ticks"]>[0];
  const countOf = async (trigger: Timer) => (await platform.ticks(trigger)).length;

  it("fire no tick again when the clock is put back, and go on where they were (I7)", async () => {
    await platform.createFunction("back");
    const trigger = await platform.createTimer("back", { schedule: "@every 1s" });
    await until("ticks", async () => (await countOf(trigger)) >= 2);
    offset = -HOUR;
    await pause(500);
    const [ticks, { dropped }] = [await platform.ticks(trigger), await platform.totals()];
    await pause(2 * SECOND);
    expect(await platform.ticks(trigger)).toEqual(ticks);
    expect((await platform.totals()).dropped).toBe(dropped);
    offset = 0;
    await until("it goes on", async () => (await countOf(trigger)) >= ticks.length + 2, 3 * SECOND);
  });

  it("lose no tick when the clock is an hour ahead for a while: the ledger refuses, and they say so (L10)", async () => {
    await platform.createFunction("ahead");
    const trigger = await platform.createTimer("ahead", { schedule: "@every 1s", catchUp: "all" });
    await until("ticks", async () => (await countOf(trigger)) >= 2);
    offset = HOUR;
    await until("it is said", async () => (await platform.report(trigger.id))?.error?.code === "tick_ahead");
    await pause(2 * SECOND);
    const early = await platform.ticks(trigger);
    offset = 0;
    // A minute ahead at most was taken, each tick in its turn, and none twice when their times come.
    expect(early.at(-1)!).toBeLessThanOrEqual(Date.now() + 60 * SECOND);
    expectSteps(early);
    await pause(2 * SECOND);
    expect(await platform.ticks(trigger)).toEqual(early);
  });

  it("wait for a function that is not there, and are Failed for it", async () => {
    const trigger = await platform.createTimer("later", { schedule: "@every 1s" });
    await isAt(trigger.id, "Failed");
    expect((await platform.report(trigger.id))!.error).toMatchObject({ code: "function_not_found" });
    await pause(SECOND);
    const { createdAt } = await platform.createFunction("later");
    await isAt(trigger.id, "Running");
    await until("ticks", async () => (await countOf(trigger)) >= 2);
    expect((await platform.ticks(trigger))[0]).toBeGreaterThan(createdAt);
    const { next, timezone } = (await platform.report(trigger.id))!.details as { next: string[]; timezone: string };
    expect(timezone).toBe("UTC");
    expect(next).toHaveLength(5);
  });

  it("of functions come, change and go with them, by the space's cron trigger (7.4)", async () => {
    await platform.createFunction("silent");
    await platform.createFunction("asks", { options: { schedule: "* * * * * *" } });
    const trigger = await platform.createCron("test");
    const ticksOf = async (name: string) =>
      (await platform.taken(trigger)).filter(({ meta }) => meta.function === name).map(({ meta }) => meta);
    await until("ticks", async () => (await ticksOf("asks")).length >= 2);
    const [first] = await platform.taken(trigger);
    expect(first!.meta).toMatchObject({ kind: "http", source: "cron", method: "POST", path: "/", trigger: "cron" });
    expect(first!.meta.headers).toEqual([
      ["x-topic", "cron-function"],
      ["x-connector", "cron-connector"],
    ]);
    expect(first!.body).toHaveLength(0);

    await platform.changeFunction("silent", { options: { schedule: "@every 1s" } });
    const toldAt = Date.now();
    await until("it is heard of", async () => (await ticksOf("silent")).length >= 1, 3 * SECOND);
    expect((await ticksOf("silent"))[0]!.position!.last - toldAt).toBeLessThanOrEqual(2 * SECOND);

    // Anything else about a function changes no tick of it.
    await platform.changeFunction("asks", { description: "changed" });
    await platform.changeFunction("silent", { options: {} });
    const { length } = await ticksOf("silent");
    await pause(2 * SECOND);
    expect((await ticksOf("silent")).length).toBeLessThanOrEqual(length + 1);
    expectSteps((await ticksOf("asks")).map(({ position }) => position!.last));
    expect((await platform.report(trigger.id))!.details).toMatchObject({ functions: 1, next: [{ function: "asks" }] });
    await platform.changeFunction("asks", { options: {} });
  });

  it("whose text cannot be read leave the others running, and are told", async () => {
    await platform.createFunction("unread", { options: { schedule: "61 * * * *" } });
    await platform.createFunction("read", { options: { schedule: "* * * * * *" } });
    const trigger = await platform.createCron("test");
    await until("ticks", async () => (await countOf(trigger)) >= 1);
    expect(await platform.report(trigger.id)).toMatchObject({
      state: "Running",
      error: { code: "schedule_invalid", message: expect.stringContaining("unread") },
    });
  });

  it("are run now by a test, and only shown by a dry run", async () => {
    const { id: functionId } = await platform.createFunction("tested");
    const trigger = await platform.createTimer("tested", { schedule: "@yearly", timezone: "Asia/Tokyo" });
    await isAt(trigger.id, "Running");
    const event = { time: "2026-03-01T08:30:00+01:00" };
    const dry = await platform.ask({ ask: "test", id: trigger.id, dryRun: true, event });
    expect(dry).toMatchObject({ ok: true, invocations: [{ function: "tested", source: "timer" }] });
    if (!dry.ok || dry.answer !== "tested") throw new Error("not tested");
    expect(JSON.parse(dry.invocations[0]!.text!)).toMatchObject({ time: "2026-03-01T16:30:00+09:00" });
    expect(await platform.taken(trigger)).toEqual([]);
    expect(await platform.ask({ ask: "test", id: trigger.id, dryRun: false })).toMatchObject({ ok: true });
    const [ran] = await platform.taken(trigger);
    expect(ran!.meta).toMatchObject({ registryId: functionId });
    expect(ran!.meta.position).toBeUndefined();
    expect(await platform.ask({ ask: "test", id: trigger.id, dryRun: true, event: "now" })).toMatchObject({
      ok: false,
      code: "event_malformed",
    });
  });

  it("keep their ticks while the broker is away, and catch up when it is back (I6)", async () => {
    await platform.createFunction("cut-off");
    const trigger = await platform.createTimer("cut-off", { schedule: "@every 1s", catchUp: "all" });
    await until("ticks", async () => (await countOf(trigger)) >= 2);
    await platform.nats.kill();
    await pause(2 * SECOND);
    await platform.nats.restart();
    const restartedAt = Date.now();
    await until(
      "it goes on",
      async () => ((await platform.ticks(trigger).catch(() => [])).at(-1) ?? 0) > restartedAt + 2 * SECOND,
      20_000,
    );
    expectSteps(await platform.ticks(trigger));
  });
});
