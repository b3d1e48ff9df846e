import { setTimeout as pause } from "node:timers/promises";
import { assertSilence, until } from "@fnbus/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Platform, startPlatform } from "./platform.ts";

const SECOND = 1_000;
const FULL = 10;
const silence = assertSilence();
let platform: Platform;
let replicas: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  platform = await startPlatform({ FNBUS_FUNCTION_BACKLOG: String(FULL) });
  replicas = await Promise.all([platform.startReplica(), platform.startReplica()]);
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await platform?.stop();
  silence.assert();
});

it("ticks that meet a full backlog wait; those that a newer one takes the place of are one record (L23, I6)", async () => {
  await platform.createFunction("slow");
  const trigger = await platform.createTimer("slow", { schedule: "@every 1s" });
  const errorOf = async () => (await platform.report(trigger.id))?.error?.code;
  await until("it is said", async () => (await errorOf()) === "function_backlog_full", 20_000);
  const before = await platform.taken(trigger);
  await pause(3 * SECOND);
  const last = (await platform.ticks(trigger)).at(-1)!;
  await platform.cancel(before);
  await until("it goes on", async () => (await platform.ticks(trigger)).at(-1)! > last);
  const next = (await platform.ticks(trigger)).find((tick) => tick > last)!;
  expect(next - last).toBeGreaterThan(2 * SECOND);
  await until("the record", async () => (await platform.giveUps(trigger)).length > 0);
  const records = await platform.giveUps(trigger);
  expect(records.map(({ details }) => details)).toEqual([
    expect.objectContaining({ from: last + SECOND, until: next - SECOND, ticks: (next - last) / SECOND - 1 }),
  ]);
});
