import { frameFlags } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { type CoreLimits, createCore } from "../src/core/index.ts";
import { toLedgerAnnouncement } from "../src/out/announcer.ts";
import { createDriver, head, idOf, result, takeOver, verdictsOf } from "./core-driver.ts";

const RETENTION_MS = 10_000;
const flags = frameFlags.counting | frameFlags.verdict;
const sourceOf = (nth: number) => nth.toString(16).padStart(32, "0");
const batch = (nth: number, source: number, first: number, last = first) =>
  head(nth, { flags, source: sourceOf(source), first, last, ttlMs: 1_000_000 });
const logs = (invocations: number, outcomes: number) => ({
  invocations: { createdAt: 1, first: 1, last: invocations },
  outcomes: { createdAt: 1, first: 1, last: outcomes },
});

function createOwner(limits: Partial<CoreLimits> = {}) {
  const core = createCore({ partition: 0, logs: logs(0, 0), limits: { markRetentionMs: RETENTION_MS, ...limits } });
  const driver = createDriver(core);
  takeOver(driver, () => []);
  driver.announce(10);
  return driver;
}

/** A checkpoint's parts by their names, and the name of its own. */
function store(driver: ReturnType<typeof createOwner>) {
  driver.now.mono += 120_000;
  const stored = driver.apply({ type: "tick" }).find((action) => action.do === "store-checkpoint")!;
  return { ...stored, segments: new Map(stored.parts.map(({ object, bytes }) => [object, bytes])) };
}

describe("the mark of a source that does not move (L10, L6)", () => {
  it("stands through its retention by the broker's time, and not after it", () => {
    const driver = createOwner();
    driver.read([batch(1, 1, 5), batch(2, 2, 5)]);
    driver.apply(result(1));
    driver.apply(result(2));
    driver.now.broker += RETENTION_MS - 1;
    expect(verdictsOf(driver.read([batch(3, 1, 5)]))).toMatchObject([{ verdict: "known" }]);
    driver.now.broker += 1;
    expect(verdictsOf(driver.read([batch(4, 2, 5)]))).toMatchObject([{ verdict: "new" }]);
  });

  it("stands as long as an invocation of its source is unfinished", () => {
    const driver = createOwner();
    driver.read([batch(1, 1, 5)]);
    driver.now.broker += 5 * RETENTION_MS;
    expect(verdictsOf(driver.read([batch(2, 1, 5)]))).toMatchObject([{ verdict: "known" }]);
    driver.apply(result(1));
    expect(verdictsOf(driver.read([batch(3, 1, 5)]))).toMatchObject([{ verdict: "new" }]);
  });

  it("is gone from memory and from the checkpoint at the next one, the others stay", () => {
    const driver = createOwner();
    driver.read([batch(1, 1, 5)]);
    driver.apply(result(1));
    driver.now.broker += RETENTION_MS;
    driver.read([batch(2, 2, 7)]);
    expect(driver.core.view.mark(sourceOf(1))).toBe(5);
    const { object, segments } = store(driver);
    expect(driver.core.view.mark(sourceOf(1))).toBeUndefined();
    const { invocations, outcomes } = driver.core.view.next();
    const restored = createCore({
      partition: 0,
      logs: logs(invocations - 1, outcomes - 1),
      checkpoint: { state: segments.get(object)!, segments },
    });
    expect([1, 2].map((source) => restored.view.mark(sourceOf(source)))).toEqual([undefined, 7]);
  });

  it("is judged alike by a stand-by that has not cleared up", () => {
    const driver = createOwner({ marks: 2 });
    const standBy = createCore({ partition: 0, logs: logs(0, 0), limits: { markRetentionMs: RETENTION_MS, marks: 2 } });
    const packs = [[batch(1, 1, 5), batch(2, 2, 5)], [batch(3, 3, 5)], [head(4)], [batch(5, 1, 5), batch(6, 4, 1)]];
    for (const [nth, heads] of packs.entries()) {
      driver.now.broker = 1_000 + nth * 6_000;
      driver.read(heads);
      for (const { id } of heads) driver.apply(result(Number.parseInt(id.slice(-4), 16)));
      standBy.apply(
        { type: "invocations", sequence: nth + 1, at: driver.now.broker, heads },
        { mono: 0, broker: driver.now.broker, leaseSafe: false },
      );
      const ends = heads.filter(({ id }) => "endedAt" in (driver.core.view.find(id) ?? {}));
      standBy.apply(
        {
          ...{ type: "outcomes", sequence: nth + 1, head: { epoch: 1, partition: 0, applied: nth + 1 } },
          records: ends.map(({ id }) => ({ type: "outcome", id, state: "succeeded", endedAt: 1_000 }) as never),
        },
        { mono: 0, broker: driver.now.broker, leaseSafe: false },
      );
      // Clears up on the owner alone.
      if (nth === 2) store(driver);
    }
    const { accepted, dropped } = driver.core.view.totals();
    expect(standBy.view.totals()).toMatchObject({ accepted, dropped });
    expect(accepted).toBe(5);
  });
});

describe("too many counting sources (I11)", () => {
  it("refuses a new one by its own code, known ones go on, and there is room again when one is forgotten", () => {
    const driver = createOwner({ marks: 2 });
    driver.read([batch(1, 1, 5), batch(2, 2, 5)]);
    for (const nth of [1, 2]) driver.apply(result(nth));
    // What publishers see of it (L23).
    expect(toLedgerAnnouncement(driver.core.view, 0, "o").marks).toBe(1);
    expect(verdictsOf(driver.read([batch(3, 3, 0), batch(4, 2, 6)]))).toMatchObject([
      { verdict: "refused", mark: -1, errorCode: "marks_full" },
      { verdict: "new" },
    ]);
    driver.apply(result(4));
    driver.now.broker += RETENTION_MS - 1;
    driver.read([batch(5, 2, 7)]);
    driver.now.broker += 1;
    expect(verdictsOf(driver.read([batch(6, 3, 0)]))).toMatchObject([{ verdict: "new" }]);
    expect(driver.core.view.find(idOf(6))).toBeDefined();
  });

  it("is an alarm", () => {
    const driver = createOwner({ marks: 1 });
    driver.read([batch(1, 1, 5)]);
    const fill = { first: 1, last: 9, bytes: 0, maxBytes: 0 };
    const actions = driver.apply({ type: "streams", invocations: fill, outcomes: fill, parked: fill });
    expect(actions).toContainEqual({ do: "alarm", what: "marks-full", details: { marks: 1 } });
  });
});
