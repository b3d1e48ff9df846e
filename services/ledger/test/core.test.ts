import { readFileSync } from "node:fs";
import { frameFlags } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { createCore } from "../src/core/index.ts";
import { createOwner, functions, head, idOf, result, rules, runsOf, verdictsOf } from "./core-driver.ts";

/** Keyed and named ids are known so long after their end. */
const WINDOW_MS = 24 * 3_600_000;

describe("identity", () => {
  it("the first copy of an id stands, a keyed one is told known, or conflict for another body (L9, L11)", () => {
    const { read, core } = createOwner();
    const flags = frameFlags.keyed | frameFlags.verdict;
    const copies = ["a", "a", "b"].map((hash) => head(1, { flags, bodyHash: hash.repeat(32) }));
    expect(verdictsOf(read(copies)).map(({ verdict }) => verdict)).toEqual(["new", "known", "conflict"]);
    expect(core.view.totals()).toMatchObject({ accepted: 1, unfinished: 1, dropped: 2 });
  });

  it("a batch is kept above its source's mark, dropped below it and refused across it (L10)", () => {
    const { read, core } = createOwner();
    const source = "c".repeat(32);
    const flags = frameFlags.counting | frameFlags.verdict;
    const batch = (nth: number, first: number, last: number) => head(nth, { flags, source, first, last });
    const verdicts = verdictsOf(read([batch(1, 0, 4), batch(2, 2, 4), batch(3, 3, 6)]));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(["new", "known", "refused"]);
    expect(verdicts[2]).toMatchObject({ mark: 4, errorCode: "position_refused" });
    expect(verdictsOf(read([batch(4, 5, 6)]))).toMatchObject([{ verdict: "new" }]);
    expect(core.view.mark(source)).toBe(6);
  });

  it("what follows a refused batch in its pack is refused too, or its mark would hide what is cut anew (L10)", () => {
    const { read, core } = createOwner();
    const flags = frameFlags.counting | frameFlags.verdict;
    const batch = (nth: number, source: string, first: number, last: number) =>
      head(nth, { flags, source, first, last });
    const [one, other] = ["c".repeat(32), "d".repeat(32)];
    read([batch(1, one, 0, 4)]);
    const verdicts = verdictsOf(read([batch(2, one, 3, 6), batch(3, one, 7, 9), batch(4, other, 0, 9)]));
    expect(verdicts).toMatchObject([
      { verdict: "refused", mark: 4 },
      { verdict: "refused", mark: 4 },
      { verdict: "new" },
    ]);
    expect(core.view.mark(one)).toBe(4);
  });

  it("a named event is kept once for its window, with a verdict asked or without, and anew after it (L9, L12)", () => {
    const { apply, read, announce, core, now } = createOwner();
    announce(5);
    const event = (flags = 0) => head(1, { flags: frameFlags.named | flags, bodyHash: "e".repeat(32) });
    expect(verdictsOf(read([event()]))).toEqual([]);
    expect(verdictsOf(read([event(), event(frameFlags.verdict)]))).toEqual([
      { id: idOf(1), verdict: "known", state: "running" },
    ]);
    apply(result(1));
    now.broker += WINDOW_MS - 1;
    expect(verdictsOf(read([event(), event(frameFlags.verdict)]))).toMatchObject([
      { verdict: "known", state: "succeeded" },
    ]);
    expect(core.view.totals()).toMatchObject({ accepted: 1, dropped: 4 });
    now.broker += 1;
    expect(verdictsOf(read([event(frameFlags.verdict)]))).toMatchObject([{ verdict: "new" }]);
  });

  it("a tick over 60 s ahead of its stored time is refused, the mark unmoved (L10)", () => {
    const { read, core, now } = createOwner();
    const source = "d".repeat(32);
    const flags = frameFlags.counting | frameFlags.verdict | frameFlags.tick;
    const tick = (nth: number, at: number) => head(nth, { flags, source, first: at, last: at });
    const verdicts = verdictsOf(read([tick(1, now.broker + 60_001), tick(2, now.broker + 60_000)]));
    expect(verdicts).toMatchObject([{ verdict: "refused", mark: -1, errorCode: "tick_ahead" }, { verdict: "new" }]);
    expect(core.view.mark(source)).toBe(now.broker + 60_000);
  });
});

describe("handing out", () => {
  it("functions are served in turn by weight (L13)", () => {
    const driver = createOwner();
    driver.apply({ type: "function", registryId: functions[1], rules: rules({ weight: 2 }), indexRevision: 1 });
    driver.read(Array.from({ length: 20 }, (_, nth) => head(nth, { registryId: functions[nth < 10 ? 0 : 1] })));
    const given = runsOf(driver.announce(9)).map(({ id }) => Number.parseInt(id.slice(-2), 16) >= 10);
    expect(given.filter(Boolean)).toHaveLength(6);
    expect(given.slice(0, 3).filter(Boolean)).toHaveLength(2);
  });

  it("never more than a function's limit, however much room there is (L13)", () => {
    const driver = createOwner();
    driver.apply({ type: "function", registryId: functions[0], rules: rules({ limit: 3 }), indexRevision: 1 });
    driver.read(Array.from({ length: 10 }, (_, nth) => head(nth)));
    expect(runsOf(driver.announce(50))).toHaveLength(3);
  });

  it("nothing while no renewal of the lease stands (L19)", () => {
    const driver = createOwner();
    driver.now.leaseSafe = false;
    driver.read([head(1)]);
    expect(runsOf(driver.announce(5))).toEqual([]);
    driver.now.leaseSafe = true;
    expect(runsOf(driver.apply({ type: "tick" }))).toHaveLength(1);
  });

  it("an envelope of a function that the index does not know fails as deleted, once the index is new enough (L3)", () => {
    const driver = createOwner();
    driver.read([head(1, { registryId: idOf(99), revision: 7 })]);
    expect(driver.core.view.totals()).toMatchObject({ unfinished: 1 });
    driver.apply({ type: "index", revision: 7 });
    expect(driver.core.view.totals().ended).toMatchObject({ failed: 1 });
  });
});

describe("outcomes", () => {
  it("an executor is told durable only after the outcome is appended (L16)", () => {
    const driver = createOwner();
    driver.read([head(1)]);
    driver.announce(5);
    driver.store(false);
    const decided = driver.apply(result(1));
    expect(decided.map((action) => action.do)).toEqual(["append"]);
    const settled = driver.apply({ type: "appended", epoch: driver.core.view.epoch, sequence: 2 });
    expect(settled).toContainEqual(expect.objectContaining({ entries: [{ type: "durable", ids: [idOf(1)] }] }));
  });

  it("what is decided stays decided while its pack is in doubt, and our own record in the tail is it (L20)", () => {
    const driver = createOwner();
    driver.read([head(1)]);
    driver.announce(5);
    driver.store(false);
    const append = driver.apply(result(1)).find((action) => action.do === "append")!;
    expect(driver.apply({ type: "append-failed", epoch: driver.core.view.epoch, how: "in-doubt" })).toEqual([
      { do: "read-tail" },
    ]);
    expect(driver.apply(result(1))).toEqual([]);
    driver.apply({ type: "outcomes", sequence: append.expected + 1, head: append.head, records: [] });
    expect(driver.core.view.totals().ended.succeeded).toBe(1);
    expect(
      driver.apply({ type: "tail-read", last: append.expected + 1 }).filter(({ do: what }) => what === "append"),
    ).toEqual([]);
  });
});

describe("checkpoints (L7)", () => {
  it("a core from a checkpoint knows what the one before it knew", () => {
    const driver = createOwner();
    const flags = frameFlags.keyed;
    driver.read([head(1, { flags, bodyHash: "a".repeat(32) }), head(2, { delayMs: 5_000 }), head(3)]);
    driver.announce(1);
    driver.apply(result(1));
    driver.now.mono += 120_000;
    const store = driver.apply({ type: "tick" }).find((action) => action.do === "store-checkpoint")!;
    const segments = new Map(store.parts.map(({ object, bytes }) => [object, bytes]));
    const state = segments.get(store.object)!;
    const { invocations, outcomes } = driver.core.view.next();
    const seen = { createdAt: 1, first: 1 };
    const from = (createdAt: number) =>
      createCore({
        partition: 0,
        logs: { invocations: { ...seen, createdAt, last: invocations - 1 }, outcomes: { ...seen, last: outcomes - 1 } },
        checkpoint: { state, segments },
      });
    const restored = from(1).view;
    expect(restored.totals()).toEqual(driver.core.view.totals());
    expect(restored.next()).toEqual(driver.core.view.next());
    for (const nth of [1, 2, 3]) expect(restored.find(idOf(nth))).toMatchObject({ id: idOf(nth) });
    expect(restored.find(idOf(1))).toMatchObject({ state: "succeeded" });
    // Streams that were made anew: the checkpoint is of others, and is not used.
    expect(from(2).view.totals().accepted).toBe(0);
  });

  it("of version 1, which knew no ticks, is taken for ever: rows, ids and marks", () => {
    const lines = readFileSync(new URL("golden/checkpoint-v1.txt", import.meta.url), "utf8")
      .trim()
      .split("\n");
    const segments = new Map(
      lines
        .map((line) => line.split(" ") as [string, string])
        .map(([object, hex]) => [object, Buffer.from(hex, "hex")]),
    );
    const log = (last: number) => ({ createdAt: 1, first: 1, last });
    const { view } = createCore({
      partition: 0,
      logs: { invocations: log(1), outcomes: log(2) },
      checkpoint: { state: segments.get("0/state-1000-2-3")!, segments },
    });
    expect(view.totals()).toMatchObject({ accepted: 4, unfinished: 3, ended: { succeeded: 1 } });
    expect([1, 2, 3, 4].map((nth) => view.find(idOf(nth))?.state)).toEqual([
      "succeeded",
      "waiting",
      "queued",
      "queued",
    ]);
    expect(view.find(idOf(4))).toMatchObject({ place: { sequence: 1, index: 3 }, deadlineAt: 61_000 });
    expect(view.mark("c".repeat(32))).toBe(41);
  });
});
