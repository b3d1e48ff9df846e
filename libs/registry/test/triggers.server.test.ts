import type { Bus } from "@fnbus/bus";
import { CRON_TRIGGER_NAME, createId, platformStorage, type Trigger, type TriggerOf } from "@fnbus/contract";
import { createTriggers, type Triggers } from "@fnbus/registry";
import { assertSilence, connectTestBus, type NatsServer, type Silence, startNats, until } from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

const timer = (name: string, space = "shop"): TriggerOf<"timer"> => ({
  ...{
    id: createId(),
    incarnation: createId(),
    space,
    name,
    description: "",
    enabled: true,
    createdAt: 1,
    updatedAt: 1,
  },
  ...{ type: "timer", function: { name: "f", qualifier: "latest" }, config: { schedule: "@daily" } },
});
const cron = (space: string): Trigger => ({ ...timer(CRON_TRIGGER_NAME, space), type: "cron", config: {} });

describe("triggers in the registry", () => {
  let nats: NatsServer;
  let bus: Bus;
  let otherBus: Bus;
  let triggers: Triggers;
  /** Of another process: it hears of everything by its watch alone. */
  let other: Triggers;
  let silence: Silence;
  const heardBy = (index: Triggers, id: string, revision: number) =>
    until("the other process has heard of it", () => index.triggerById(id)?.revision === revision);

  beforeAll(async () => {
    nats = await startNats();
    bus = await connectTestBus(nats);
    otherBus = await connectTestBus(nats, "other");
    await bus.provision({ ...platformStorage({ partitions: 0, replicas: 1 }), streams: [], objects: [] });
    triggers = await createTriggers(bus);
    other = await createTriggers(otherBus);
  });
  afterAll(async () => {
    triggers.stop();
    other.stop();
    await bus.drain();
    await otherBus.drain();
    await nats.stop();
  });
  beforeEach(() => {
    silence = assertSilence();
  });
  afterEach(() => silence.assert());

  it("gives a name to one of many who want it, and its maker reads it at once", async () => {
    const wanted = Array.from({ length: 10 }, () => timer("unique"));
    const results = await Promise.allSettled(
      wanted.map((one, at) => (at % 2 === 0 ? triggers : other).createTrigger(one)),
    );
    const made = results.filter((result) => result.status === "fulfilled");
    expect(made).toHaveLength(1);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "trigger_exists" });
    const { trigger, revision } = made[0]!.value;
    for (const index of [triggers, other]) {
      await heardBy(index, trigger.id, revision);
      expect(index.triggerByName("shop", "unique")).toEqual({ trigger, revision });
      expect(index.triggersOf("shop")).toEqual([{ trigger, revision }]);
      expect([...index.allTriggers()]).toContainEqual({ trigger, revision });
    }
  });

  it("has one cron trigger a space, whoever is faster", async () => {
    const results = await Promise.allSettled([triggers.createTrigger(cron("one")), other.createTrigger(cron("one"))]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((result) => result.status === "rejected")?.reason).toMatchObject({
      code: "cron_trigger_exists",
    });
    await triggers.createTrigger(cron("two"));
  });

  it("refuses an update of a revision that is not the last", async () => {
    const made = await triggers.createTrigger(timer("updated"));
    const change: Trigger = { ...timer("updated"), id: made.trigger.id, description: "new" };
    const results = await Promise.allSettled([
      triggers.updateTrigger(change, made.revision),
      other.updateTrigger(change, made.revision),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((result) => result.status === "rejected")?.reason).toMatchObject({ code: "revision_conflict" });
    await until("both have it", () =>
      [triggers, other].every((index) => index.triggerById(made.trigger.id)?.trigger.description === "new"),
    );
  });

  it("tells every process of what is made, changed and removed; what is made again under its name is another", async () => {
    const heard: [string, boolean][] = [];
    const stop = other.onTrigger((id, now) => heard.push([id, now !== undefined]));
    const old = await triggers.createTrigger(timer("again"));
    await triggers.updateTrigger({ ...old.trigger, enabled: false }, old.revision);
    expect((await triggers.deleteTrigger("shop", "again")).id).toBe(old.trigger.id);
    expect([triggers.triggerById(old.trigger.id), triggers.triggerByName("shop", "again")]).toEqual([
      undefined,
      undefined,
    ]);
    const fresh = await triggers.createTrigger(timer("again"));
    await heardBy(other, fresh.trigger.id, fresh.revision);
    stop();
    const { id } = old.trigger;
    expect(heard.filter(([one]) => one === id)).toEqual([
      [id, true],
      [id, true],
      [id, false],
    ]);
    expect(heard.at(-1)).toEqual([fresh.trigger.id, true]);
    expect(other.triggerById(id)).toBeUndefined();
    expect(other.triggersOf("shop").filter(({ trigger }) => trigger.name === "again")).toHaveLength(1);
    await expect(triggers.updateTrigger(old.trigger, old.revision)).rejects.toMatchObject({
      code: "revision_conflict",
    });
    await heardBy(triggers, fresh.trigger.id, fresh.revision);
  });

  it("its maker never sees a trigger come back that it removed, whatever its watch has still to say", async () => {
    for (let round = 0; round < 50; round++) {
      const made = await triggers.createTrigger(timer("fleeting"));
      await triggers.deleteTrigger("shop", "fleeting");
      expect(triggers.triggerById(made.trigger.id)).toBeUndefined();
      await new Promise((resolve) => setImmediate(resolve));
      expect(triggers.triggerByName("shop", "fleeting")).toBeUndefined();
    }
    await until("the other has seen the last removal", () => !other.triggerByName("shop", "fleeting"));
  });

  it("says not found of what is not there", async () => {
    await expect(triggers.deleteTrigger("shop", "nowhere")).rejects.toMatchObject({ code: "trigger_not_found" });
    await expect(triggers.updateTrigger(timer("nowhere"), 1)).rejects.toMatchObject({ code: "revision_conflict" });
  });

  it("a broker that was away loses nothing, and a process that starts then has all", async () => {
    const kept = await triggers.createTrigger(timer("kept"));
    await heardBy(other, kept.trigger.id, kept.revision);
    await nats.kill();
    await until("both hear of it", () => !bus.isConnected() && !otherBus.isConnected());
    expect(other.triggerByName("shop", "kept")).toEqual(kept);
    await expect(triggers.createTrigger(timer("refused"))).rejects.toMatchObject({ code: "broker_unavailable" });
    await nats.restart();
    const third = await connectTestBus(nats, "third");
    const fromStart = await createTriggers(third);
    expect(fromStart.triggerByName("shop", "kept")).toEqual(kept);
    const later = await fromStart.createTrigger(timer("later"));
    await fromStart.deleteTrigger("shop", "kept");
    for (const index of [triggers, other]) {
      await heardBy(index, later.trigger.id, later.revision);
      await until("it has heard of the removal", () => index.triggerById(kept.trigger.id) === undefined);
    }
    fromStart.stop();
    await third.drain();
  });
});
