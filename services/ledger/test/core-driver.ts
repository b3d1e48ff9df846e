import { defaultRetry, type FrameHead } from "@fnbus/contract";
import { expect } from "vitest";
import { type Action, type Core, type CoreEvent, createCore, type FunctionRules, type Now } from "../src/core/index.ts";

const LEASE_MS = 5_000;
const logs = { invocations: { createdAt: 1, first: 1, last: 0 }, outcomes: { createdAt: 1, first: 1, last: 0 } };
export const functions = ["018f0000-0000-7000-8000-0000000000f1", "018f0000-0000-7000-8000-0000000000f2"] as const;
export const idOf = (nth: number) => `018f0000-0000-7000-8000-${nth.toString(16).padStart(12, "0")}`;
export const rules = (more: Partial<FunctionRules> = {}): FunctionRules => ({
  limit: 100,
  weight: 1,
  pool: "shared",
  retry: defaultRetry,
  maxAgeMs: 60_000,
  backlog: 100,
  ...more,
});
export const head = (nth: number, more: Partial<FrameHead> = {}): FrameHead => ({
  offset: 0,
  bytes: 100,
  flags: 0,
  partition: 0,
  id: idOf(nth),
  registryId: functions[0],
  revision: 1,
  priority: 0,
  overlap: "allow",
  delayMs: 0,
  ttlMs: 60_000,
  orderingKeyHash: 0,
  metaBytes: 0,
  bodyBytes: 0,
  bodyHash: "0".repeat(32),
  source: "",
  first: 0,
  last: 0,
  ...more,
});

/** A core with its logs: what it appends is stored at once. */
export function createDriver(core: Core = createCore({ partition: 0, logs })) {
  const now: Now = { mono: 0, broker: 1_000, leaseSafe: true };
  let packs = 0;
  let stored = 0;
  let isStoring = true;
  const apply = (event: CoreEvent): Action[] => {
    const actions = core.apply(event, { ...now });
    const append = actions.find((action) => action.do === "append");
    return append && isStoring
      ? [...actions, ...apply({ type: "appended", epoch: core.view.epoch, sequence: ++stored })]
      : actions;
  };
  const announce = (capacity: number, holds: [string, number][] = [], applied = 0) =>
    apply({
      type: "announcement",
      announcement: {
        executor: "e1",
        pool: "shared",
        capacity,
        draining: false,
        isolation: "process",
        memoryLimits: false,
        partitions: { 0: { epoch: core.view.epoch, applied, holds } },
        warm: [],
        calls: {},
      },
    });
  return {
    core,
    now,
    apply,
    announce,
    store: (on: boolean) => {
      isStoring = on;
    },
    /** This many packs of OUTCOMES came from elsewhere. */
    skip: (count: number) => {
      stored += count;
    },
    read: (heads: FrameHead[], verdictInbox = "inbox") =>
      apply({ type: "invocations", sequence: ++packs, at: now.broker, heads, verdictInbox }),
    own: () => {
      for (const registryId of functions) apply({ type: "function", registryId, rules: rules(), indexRevision: 1 });
      apply({ type: "tick" });
      apply({ type: "lease-gained", owner: "o", lastInvocations: packs, lastOutcomes: stored });
      now.mono += LEASE_MS;
      return apply({ type: "connection", connected: core.view.phase !== "following" });
    },
  };
}

export const runsOf = (actions: Action[]) =>
  actions.flatMap((action) => (action.do === "work" ? action.entries.filter((entry) => entry.type === "run") : []));
export const verdictsOf = (actions: Action[]) =>
  actions.flatMap((action) => (action.do === "verdicts" ? action.verdicts : []));
export const result = (nth: number, attempt = 1): CoreEvent => ({
  type: "results",
  head: { executor: "e1", partition: 0, epoch: 0, applied: 0 },
  entries: [
    {
      meta: {
        type: "result",
        id: idOf(nth),
        attempt,
        result: { statusCode: 200, headers: [], startedAt: 0, durationMs: 1, cold: false, executor: "e1" },
      },
      body: new Uint8Array(0),
    },
  ],
});

/** An owner with nothing in the way of handing out. */
export function createOwner() {
  const driver = createDriver();
  takeOver(driver, () => []);
  return driver;
}

/** Gains the lease, and hears executors until it hands out. What it does meanwhile. */
export function takeOver(driver: ReturnType<typeof createDriver>, hear: () => Action[]): Action[] {
  const actions = driver.own();
  for (let turn = 0; turn < 60 && driver.core.view.phase !== "owning"; turn++) {
    driver.now.mono += 200;
    actions.push(...driver.apply({ type: "tick" }), ...hear());
  }
  expect(driver.core.view.phase).toBe("owning");
  return actions;
}
