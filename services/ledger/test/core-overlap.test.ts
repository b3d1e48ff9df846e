import { type FrameHead, frameFlags } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { type Action, createCore } from "../src/core/index.ts";
import {
  createDriver,
  createOwner,
  functions,
  head,
  idOf,
  result,
  rules,
  runsOf,
  takeOver,
  verdictsOf,
} from "./core-driver.ts";

const SOURCE = "e".repeat(32);
const flags = frameFlags.counting | frameFlags.tick | frameFlags.verdict;
const tick = (nth: number, overlap: FrameHead["overlap"], more: Partial<FrameHead> = {}) =>
  head(nth, { flags, overlap, source: SOURCE, first: nth, last: nth, ...more });
const outcomesOf = (actions: Action[]) =>
  actions.flatMap((action) =>
    action.do === "append" ? action.records.filter((record) => record.type === "outcome") : [],
  );
const idsOf = (actions: Action[]) => runsOf(actions).map(({ id }) => id);
const failure = (nth: number) => {
  const failed = result(nth);
  if (failed.type !== "results" || failed.entries[0]!.meta.type !== "result") throw new Error("no result");
  Object.assign(failed.entries[0]!.meta.result, { statusCode: 0, error: { code: "function_threw", message: "" } });
  return failed;
};

describe("a tick beside an unfinished one of its source (L13)", () => {
  it("runs where overlap is allowed", () => {
    const driver = createOwner();
    driver.read([tick(1, "allow"), tick(2, "allow")]);
    expect(idsOf(driver.announce(5))).toEqual([idOf(1), idOf(2)]);
  });

  it("is skipped: cancelled without a run, visible, the mark moved, and all accounted for (I3, I8)", () => {
    const driver = createOwner();
    driver.read([tick(1, "skip")]);
    expect(idsOf(driver.announce(5))).toEqual([idOf(1)]);
    const actions = driver.read([tick(2, "skip")]);
    expect(verdictsOf(actions)).toMatchObject([{ verdict: "new" }]);
    expect(outcomesOf(actions)).toMatchObject([
      { id: idOf(2), state: "cancelled", errorCode: "overlap_skipped", attempts: 0 },
    ]);
    expect(driver.core.view.mark(SOURCE)).toBe(2);
    expect(driver.core.view.find(idOf(2))).toMatchObject({ state: "cancelled" });
    expect(driver.core.view.totals()).toMatchObject({ accepted: 2, unfinished: 1, ended: { cancelled: 1 } });
    driver.apply(result(1));
    expect(idsOf(driver.read([tick(3, "skip")]))).toEqual([idOf(3)]);
  });

  it("waits where one may, is handed out when the other has ended durably, and a third is skipped", () => {
    const driver = createOwner();
    driver.announce(5);
    expect(idsOf(driver.read([tick(1, "queue-one"), tick(2, "queue-one"), tick(3, "queue-one")]))).toEqual([idOf(1)]);
    expect(driver.core.view.find(idOf(2))).toMatchObject({ state: "queued" });
    expect(driver.core.view.find(idOf(3))).toMatchObject({ state: "cancelled" });
    driver.store(false);
    expect(idsOf(driver.apply(result(1)))).toEqual([]);
    const { epoch } = driver.core.view;
    expect(idsOf(driver.apply({ type: "appended", epoch, sequence: 3 }))).toEqual([idOf(2)]);
  });

  it("counts one that waits for its retry, or for its delay, as unfinished", () => {
    const driver = createOwner();
    const retry = { maxAttempts: 2, firstDelayMs: 10_000, factor: 1, maxDelayMs: 10_000, jitter: 0, on: [] };
    driver.apply({ type: "function", registryId: functions[0], rules: rules({ retry }), indexRevision: 1 });
    driver.read([tick(1, "skip")]);
    driver.announce(5);
    driver.apply(failure(1));
    expect(driver.core.view.find(idOf(1))).toMatchObject({ state: "waiting", attempts: 1 });
    expect(outcomesOf(driver.read([tick(2, "skip")]))).toMatchObject([{ id: idOf(2), errorCode: "overlap_skipped" }]);
    const other = { source: "f".repeat(32) };
    const delayed = driver.read([tick(1_001, "skip", { ...other, delayMs: 5_000 }), tick(1_002, "skip", other)]);
    expect(outcomesOf(delayed)).toMatchObject([{ id: idOf(1_002) }]);
  });

  it("does not count one that is being skipped: it is about to be gone", () => {
    const driver = createOwner();
    driver.announce(5);
    driver.read([tick(1, "queue-one"), tick(2, "queue-one")]);
    driver.store(false);
    driver.read([tick(3, "queue-one")]);
    driver.store(true);
    driver.apply({ type: "appended", epoch: driver.core.view.epoch, sequence: 2 });
    driver.apply(result(1));
    expect(outcomesOf(driver.read([tick(4, "queue-one")]))).toEqual([]);
  });

  it("is another source's business where it is of another function or schedule", () => {
    const driver = createOwner();
    driver.announce(5);
    expect(idsOf(driver.read([tick(1, "skip"), tick(2, "skip", { source: "f".repeat(32) })]))).toHaveLength(2);
  });

  it("expires where it waits longer than its time, and a cancel ends it (L18)", () => {
    const driver = createOwner();
    driver.announce(5);
    driver.read([tick(1, "queue-one"), tick(2, "queue-one", { ttlMs: 1_000 })]);
    driver.now.broker += 1_000;
    expect(outcomesOf(driver.apply({ type: "tick" }))).toMatchObject([{ id: idOf(2), state: "expired" }]);
    driver.read([tick(3, "queue-one")]);
    expect(outcomesOf(driver.apply({ type: "cancel", ticket: 1, id: idOf(3) }))).toMatchObject([
      { id: idOf(3), errorCode: "cancelled" },
    ]);
  });
});

describe("who takes over (L13, L21)", () => {
  it("decides by what the logs say: the first runs, the second waits, the third is skipped", () => {
    const driver = createDriver();
    driver.read([1, 2, 3].map((nth) => tick(nth, "queue-one")));
    expect(driver.core.view.totals()).toMatchObject({ unfinished: 3 });
    takeOver(driver, () => driver.announce(5, [[idOf(1), 1]]));
    expect(driver.core.view.find(idOf(1))).toMatchObject({ state: "running" });
    expect(driver.core.view.find(idOf(2))).toMatchObject({ state: "queued" });
    expect(driver.core.view.find(idOf(3))).toMatchObject({ state: "cancelled" });
  });

  it("lets one run whose skipping its predecessor decided and never made durable, once the first has ended", () => {
    const driver = createOwner();
    driver.announce(5);
    driver.read([tick(1, "skip")]);
    driver.store(false);
    expect(outcomesOf(driver.read([tick(2, "skip")]))).toHaveLength(1);
    driver.apply({ type: "lease-lost" });
    const ended = {
      ...{ type: "outcome" as const, id: idOf(1), state: "succeeded" as const, endedAt: 1_000 },
      ...{ bodyHash: "0".repeat(32), attempts: 1, lost: 0 },
    };
    driver.apply({
      type: "outcomes",
      sequence: 2,
      head: { epoch: driver.core.view.epoch, partition: 0, applied: 1 },
      records: [ended as never],
    });
    driver.skip(1);
    driver.store(true);
    const actions = takeOver(driver, () => driver.announce(5));
    expect(idsOf([...actions, ...driver.announce(5)])).toEqual([idOf(2)]);
  });

  it("knows from a checkpoint what waits behind what, parked or not (L7, L22)", () => {
    const driver = createDriver();
    driver.read([tick(1, "queue-one"), tick(2, "queue-one"), tick(3, "skip", { source: "f".repeat(32) })]);
    driver.apply({
      type: "outcomes",
      sequence: 1,
      head: { epoch: 1, partition: 0, applied: 1 },
      records: [{ type: "parked", entries: [{ id: idOf(1), place: { stream: "parked", sequence: 9, index: 0 } }] }],
    });
    driver.skip(1);
    takeOver(driver, () => []);
    // The first tick says when checkpoints began to be counted.
    driver.now.mono += 120_000;
    const store = driver.apply({ type: "tick" }).find((action) => action.do === "store-checkpoint")!;
    const parts = new Map(store.parts.map(({ object, bytes }) => [object, bytes]));
    const { invocations, outcomes } = driver.core.view.next();
    const seen = { createdAt: 1, first: 1 };
    const restored = createDriver(
      createCore({
        partition: 0,
        logs: { invocations: { ...seen, last: invocations - 1 }, outcomes: { ...seen, last: outcomes - 1 } },
        checkpoint: { state: parts.get(store.object)!, segments: parts },
      }),
    );
    expect(restored.core.view.mark(SOURCE)).toBe(2);
    restored.skip(outcomes - 1);
    const actions = takeOver(restored, () => restored.announce(5));
    expect(idsOf(actions).toSorted()).toEqual([idOf(1), idOf(3)]);
    expect(restored.core.view.find(idOf(2))).toMatchObject({ state: "queued" });
  });
});
