import { describe, expect, it } from "vitest";
import type { Action } from "../src/core/index.ts";
import { createDriver, createOwner, functions, head, idOf, result, rules, runsOf } from "./core-driver.ts";

const cancelsOf = (actions: Action[]) =>
  actions.flatMap((action) => (action.do === "work" ? action.entries.filter(({ type }) => type === "cancel") : []));
const isAppend = (action: Action) => action.do === "append";
const streams = (first: number) => {
  const fill = { first, last: 9, bytes: 0, maxBytes: 0 };
  return {
    type: "streams" as const,
    invocations: fill,
    outcomes: { ...fill, first: 1 },
    parked: { ...fill, first: 1 },
  };
};

describe("a cancel of a running invocation (L18)", () => {
  it("ends it when its executor hands it back: it is never started again", () => {
    const driver = createOwner();
    driver.read([head(1)]);
    driver.announce(5);
    driver.apply({ type: "cancel", ticket: 1, id: idOf(1) });
    const refused = driver.apply({
      type: "results",
      head: { executor: "e1", partition: 0, epoch: driver.core.view.epoch, applied: 1 },
      entries: [{ meta: { type: "refused", id: idOf(1), attempt: 1, why: "full" }, body: new Uint8Array(0) }],
    });
    expect(runsOf([...refused, ...driver.announce(5, [], 2)])).toEqual([]);
    expect(driver.core.view.totals().ended).toMatchObject({ cancelled: 1 });
  });

  it("reaches the executor by the next owner, where the one that recorded it said nothing", () => {
    const driver = createDriver();
    driver.read([head(1)]);
    driver.apply({
      type: "outcomes",
      sequence: 1,
      head: { epoch: 1, partition: 0, applied: 1 },
      records: [{ type: "cancel", id: idOf(1), at: 1 }],
    });
    driver.skip(1);
    driver.own();
    expect(cancelsOf(driver.announce(5, [[idOf(1), 1]]))).toEqual([{ type: "cancel", id: idOf(1) }]);
  });
});

describe("an owner", () => {
  it("hands out no more at once than can wait for an executor, and the rest later (L14)", () => {
    const driver = createOwner();
    driver.apply({ type: "function", registryId: functions[0], rules: rules({ limit: 10_000 }), indexRevision: 1 });
    for (let pack = 0; pack < 25; pack++) driver.read(Array.from({ length: 200 }, (_, nth) => head(pack * 200 + nth)));
    const first = runsOf(driver.announce(5_000));
    const all = [...first, ...runsOf(driver.apply({ type: "tick" }))];
    expect(new Set(all.map(({ id }) => id)).size).toBe(5_000);
  });

  it("takes a refusal that comes late or twice for the hand-out it was about, not for a later one (L15)", () => {
    const driver = createOwner();
    driver.read([head(1)]);
    driver.announce(5);
    const refuse = () =>
      driver.apply({
        type: "results",
        head: { executor: "e1", partition: 0, epoch: driver.core.view.epoch, applied: 1 },
        entries: [{ meta: { type: "refused", id: idOf(1), attempt: 1, why: "full" }, body: new Uint8Array(0) }],
      });
    refuse();
    expect(runsOf(driver.announce(5, [], 1))).toHaveLength(1);
    refuse();
    expect(runsOf(driver.announce(5, [[idOf(1), 1]], 2))).toEqual([]);
    expect(driver.core.view.find(idOf(1))).toMatchObject({ state: "running" });
  });

  it("takes no answer to an append of an earlier ownership for its own (L20)", () => {
    const driver = createOwner();
    driver.read([head(1)]);
    driver.announce(5);
    driver.store(false);
    const old = driver.apply(result(1)).find(isAppend)!;
    driver.apply({ type: "lease-lost" });
    driver.own();
    expect(driver.core.view.phase).toBe("claiming");
    driver.apply({ type: "appended", epoch: old.head.epoch, sequence: old.expected + 1 });
    expect(driver.core.view.phase).toBe("claiming");
    driver.apply({ type: "append-failed", epoch: driver.core.view.epoch, how: "refused" });
    driver.apply({ type: "outcomes", sequence: old.expected + 1, head: old.head, records: [] });
    const again = driver.apply({ type: "tail-read", last: old.expected + 1 }).find(isAppend);
    expect(again).toMatchObject({ expected: old.expected + 1, records: [{ type: "epoch" }] });
  });

  it("gives way where another has appended the same epoch before it (L19)", () => {
    const driver = createDriver();
    driver.store(false);
    const claim = driver.own().find(isAppend) ?? driver.apply({ type: "tick" }).find(isAppend);
    const { epoch } = driver.core.view;
    expect(driver.core.view.phase).toBe("claiming");
    const head = { epoch, partition: 0, applied: 0 };
    driver.apply({ type: "append-failed", epoch, how: "refused" });
    const read = driver.apply({ type: "outcomes", sequence: 1, head, records: [{ type: "epoch", owner: "another" }] });
    expect(read.map((action) => action.do)).toEqual(["stop-owning"]);
    expect(claim === undefined || claim.expected === 0).toBe(true);
  });

  it("stops when its state has a gap: what it thinks is unfinished may have ended (L7, I3)", () => {
    const driver = createOwner();
    driver.read([head(1)]);
    expect(driver.apply(streams(5)).map((action) => action.do)).toEqual(["alarm", "stop-owning"]);
    expect(driver.announce(5)).toEqual([]);
    expect(driver.own()).toEqual([]);
    expect(driver.core.view.phase).toBe("following");
  });
});

describe("a stand-by", () => {
  it("forgets executors that stay away, but not what they may still run (I11, L17)", () => {
    const driver = createDriver();
    driver.read([head(1)]);
    driver.announce(5);
    for (let second = 0; second < 70; second++) {
      driver.now.mono += 1_000;
      driver.apply({ type: "tick" });
    }
    expect(driver.core.view.executors()).toEqual([]);
    driver.announce(5, [[idOf(1), 1]]);
    for (let second = 0; second < 70; second++) {
      driver.now.mono += 1_000;
      driver.apply({ type: "tick" });
    }
    expect(driver.core.view.executors()).toHaveLength(1);
  });
});
