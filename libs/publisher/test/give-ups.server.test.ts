import type { Bus } from "@fnbus/bus";
import { decodeEntryPack, type GiveUp, platformStorage, streams, type Trigger } from "@fnbus/contract";
import { createLogger } from "@fnbus/telemetry";
import { assertSilence, connectTestBus, type NatsServer, startNats } from "@fnbus/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createGiveUps } from "../src/give-ups.ts";

const MB = 1024 * 1024;
const MANY = 1_000;
const silence = assertSilence();
const trigger = { space: "test", name: "nightly" } as Trigger;
const given = (number: number) => ({ trigger, what: `tick ${number}`, reason: "none", details: { number } });
let nats: NatsServer;
let bus: Bus;
const create = () => createGiveUps(bus, "scheduler", createLogger("test", "fatal"));
beforeAll(async () => {
  nats = await startNats();
  bus = await connectTestBus(nats);
  const sizes = { invocations: 16 * MB, outcomes: 16 * MB, parked: 16 * MB, records: 16 * MB };
  await bus.provision(platformStorage({ partitions: 1, replicas: 1, sizes }));
});
afterAll(async () => {
  await bus?.drain();
  await nats?.stop();
  silence.assert();
});

it("give-ups that come together are each on record, in few messages (I6)", async () => {
  const giveUps = create();
  await Promise.all(Array.from({ length: MANY }, (_, number) => giveUps.add(given(number))));
  expect(giveUps.count).toBe(MANY);
  const { last } = await bus.streamState(streams.records(0));
  expect(last).toBeLessThan(20);
  const records: GiveUp[] = [];
  for (let sequence = 1; sequence <= last; sequence++) {
    const { data } = (await bus.readAt(streams.records(0), sequence))!;
    records.push(...decodeEntryPack<unknown, GiveUp>(Buffer.from(data)).entries.map(({ meta }) => meta));
  }
  expect(records.map(({ details }) => details?.number)).toEqual(Array.from({ length: MANY }, (_, number) => number));
  expect(records[0]).toMatchObject({ type: "give-up", service: "scheduler", what: "tick 0", reason: "none" });
});

it("a give-up is tried until the broker is back, and thrown back when the service stops (I6)", async () => {
  const giveUps = create();
  await nats.kill();
  const stored = giveUps.add(given(1));
  await nats.restart();
  await stored;
  expect(giveUps.count).toBe(1);

  await nats.kill();
  const unstored = giveUps.add(given(2));
  giveUps.close();
  await expect(unstored).rejects.toThrow();
  expect(giveUps.count).toBe(1);
  await nats.restart();
});
