import type { Bus } from "@fnbus/bus";
import { createId, defaultSettings, type FunctionDefinition, platformStorage } from "@fnbus/contract";
import { createRegistry, type Registry } from "@fnbus/registry";
import { assertSilence, connectTestBus, type NatsServer, type Silence, startNats, until } from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

const definition = (name: string, space = "shop"): FunctionDefinition => ({
  id: createId(),
  space,
  name,
  partition: 0,
  status: "Running",
  settings: { ...defaultSettings, runtime: "nodejs", handler: "index.handler" },
  createdAt: 1,
  updatedAt: 1,
});
const code = (number: number) => ({ number, object: `o${number}`, sha256: "", bytes: 1, createdAt: 1 });

describe("the registry", () => {
  let nats: NatsServer;
  let bus: Bus;
  let otherBus: Bus;
  let registry: Registry;
  /** Of another process: it hears of everything by its watch alone. */
  let other: Registry;
  let silence: Silence;
  beforeAll(async () => {
    nats = await startNats();
    bus = await connectTestBus(nats);
    otherBus = await connectTestBus(nats, "other");
    await bus.provision({ ...platformStorage({ partitions: 0, replicas: 1 }), streams: [], objects: [] });
    registry = await createRegistry(bus);
    other = await createRegistry(otherBus);
    await registry.createSpace({ name: "shop", createdAt: 1 });
  });
  afterAll(async () => {
    registry.stop();
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
    const wanted = Array.from({ length: 10 }, () => definition("unique"));
    const results = await Promise.allSettled(
      wanted.map((one, at) => (at % 2 === 0 ? registry : other).createFunction(one)),
    );
    const made = results.filter((result) => result.status === "fulfilled");
    expect(made).toHaveLength(1);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "function_exists" });
    expect(await other.caughtUp(made[0]!.value.revision, 5_000)).toBe(true);
    for (const one of [registry, other]) expect(one.functionByName("shop", "unique")).toEqual(made[0]!.value);
  });
  it("refuses an update of a revision that is not the last (L3)", async () => {
    const made = await registry.createFunction(definition("updated"));
    const change = { ...made.definition, updatedAt: 2 };
    const results = await Promise.allSettled([
      registry.updateFunction(change, made.revision),
      other.updateFunction(change, made.revision),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((result) => result.status === "rejected")?.reason).toMatchObject({ code: "revision_conflict" });
    const winner = results.find((result) => result.status === "fulfilled")!;
    expect(await registry.caughtUp(winner.value.revision, 5_000)).toBe(true);
    const now = registry.functionById(made.definition.id);
    expect(now?.revision).toBeGreaterThan(made.revision);
    expect(now?.definition.updatedAt).toBe(2);
  });
  it("removes a function with its versions, tells of it, and a namesake is another function (L3)", async () => {
    const old = await registry.createFunction(definition("removed"));
    const { id } = old.definition;
    await registry.addCodeVersion(id, code(2));
    await registry.addCodeVersion(id, code(1));
    expect(registry.codeVersions(id).map(({ number }) => number)).toEqual([1, 2]);
    const heard: [string, boolean][] = [];
    const stop = other.onFunction((registryId, now) => heard.push([registryId, now !== undefined]));
    expect((await registry.deleteFunction("shop", "removed")).id).toBe(id);
    expect([registry.functionById(id), registry.codeVersions(id)]).toEqual([undefined, []]);
    const fresh = await registry.createFunction(definition("removed"));
    await other.caughtUp(fresh.revision, 5_000);
    expect(heard).toEqual([
      [id, false],
      [fresh.definition.id, true],
    ]);
    stop();
    await expect(registry.updateFunction(old.definition, old.revision)).rejects.toMatchObject({
      code: "revision_conflict",
    });
    expect(other.functionByName("shop", "removed")?.definition.id).toBe(fresh.definition.id);
  });
  it("says not found of what is not there", async () => {
    const lost = definition("nowhere");
    await expect(registry.updateFunction(lost, 1)).rejects.toMatchObject({ code: "function_not_found" });
    await expect(registry.deleteFunction("shop", "nowhere")).rejects.toMatchObject({ code: "function_not_found" });
    await expect(registry.createFunction(definition("f", "none"))).rejects.toMatchObject({ code: "space_not_found" });
    await expect(registry.deleteSpace("none")).rejects.toMatchObject({ code: "space_not_found" });
    await expect(registry.createSpace({ name: "shop", createdAt: 2 })).rejects.toMatchObject({ code: "space_exists" });
  });
  it("leaves no function in a space that is removed, whoever is faster", async () => {
    for (let round = 0; round < 10; round++) {
      const space = `race-${round}`;
      await registry.createSpace({ name: space, createdAt: 1 });
      const [made, removed] = await Promise.allSettled([
        other.createFunction(definition("f", space)),
        registry.deleteSpace(space),
      ]);
      const bucket = await bus.keyValue("REGISTRY");
      const hasSpace = (await bucket.get(`space.${space}`)) !== undefined;
      const hasFunction = (await bucket.get(`function.${space}.f`)) !== undefined;
      expect(hasFunction && !hasSpace).toBe(false);
      // Both may be refused, but nobody is told what is not so.
      expect(made.status === "fulfilled").toBe(hasFunction);
      expect(removed.status === "fulfilled").toBe(!hasSpace);
    }
  });
  it("says whether it has caught up with a revision, within the time that was given", async () => {
    const { revision } = await registry.createFunction(definition("caught"));
    expect(await other.caughtUp(revision, 5_000)).toBe(true);
    const began = performance.now();
    expect(await other.caughtUp(revision + 1_000, 100)).toBe(false);
    expect(performance.now() - began).toBeLessThan(500);
  });
  it("goes on while the broker is away, and is right again after its restart", async () => {
    const kept = await registry.createFunction(definition("kept"));
    const gone = await registry.createFunction(definition("gone"));
    await other.caughtUp(gone.revision, 5_000);
    await nats.kill();
    await until("both hear of it", () => !bus.isConnected() && !otherBus.isConnected());
    expect(other.functionByName("shop", "kept")).toEqual(kept);
    await expect(registry.createFunction(definition("refused"))).rejects.toMatchObject({ code: "broker_unavailable" });
    await nats.restart();
    const third = await connectTestBus(nats, "third");
    const fromStart = await createRegistry(third);
    expect(fromStart.functionByName("shop", "kept")).toEqual(kept);
    await fromStart.deleteFunction("shop", "gone");
    const later = await fromStart.createFunction(definition("later"));
    for (const one of [registry, other]) {
      expect(await one.caughtUp(later.revision, 10_000)).toBe(true);
      expect(one.functionByName("shop", "gone")).toBe(undefined);
      expect(one.functionsOf("shop").map(({ definition: { name } }) => name)).toEqual(
        expect.arrayContaining(["kept", "later", "unique"]),
      );
    }
    fromStart.stop();
    await third.drain();
  });
  it("passes over an entry that it cannot read", async () => {
    const bucket = await bus.keyValue("REGISTRY");
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const revision = await bucket.put("function.shop.damaged", Buffer.from("{"));
    expect(await registry.caughtUp(revision, 5_000)).toBe(true);
    expect((await warned).message).toContain("function.shop.damaged");
    expect(registry.functionByName("shop", "damaged")).toBe(undefined);
  });
});
