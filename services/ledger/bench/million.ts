import { defaultRetry, type FrameHead } from "@fnbus/contract";
import { type Action, type Core, createCore } from "../src/core/index.ts";

/**
 * A million queued invocations: memory of the core, and the time from a start to the first hand-out, both by reading
 * INVOCATIONS anew and from a checkpoint. Frames are made before the clock runs; the broker is not part of it.
 *
 *   node --expose-gc services/ledger/bench/million.ts [count]
 */
const COUNT = Number(process.argv[2] ?? 1_000_000);
const PACK = 256;
const LEASE_MS = 5_000;
const registryId = "018f0000-0000-7000-8000-00000000ffff";
const collect = () => (globalThis as { gc?: () => void }).gc?.();
const megabytes = () => {
  collect();
  return process.memoryUsage().rss / 2 ** 20;
};
const logs = (last: number) => ({
  invocations: { createdAt: 1, first: 1, last },
  outcomes: { createdAt: 1, first: 1, last: 0 },
});
const rules = { limit: 100, weight: 1, pool: "shared", retry: defaultRetry, maxAgeMs: 3_600_000, backlog: 2_000_000 };

function createHead(nth: number): FrameHead {
  const hex = nth.toString(16).padStart(12, "0");
  return {
    offset: 0,
    bytes: 1_200,
    flags: 0,
    partition: 0,
    id: `018f0000-0000-7000-8000-${hex}`,
    registryId,
    revision: 1,
    priority: 0,
    overlap: "allow",
    delayMs: 0,
    ttlMs: 3_600_000,
    orderingKeyHash: 0,
    metaBytes: 0,
    bodyBytes: 1_000,
    bodyHash: "0".repeat(32),
    source: "",
    first: 0,
    last: 0,
  };
}

/** Takes the partition over with one executor, and runs until a work pack leaves. */
function firstHandOut(core: Core, last: number): Action[] {
  const now = { mono: 0, broker: 1_000, leaseSafe: true };
  core.apply({ type: "function", registryId, rules, indexRevision: 1 }, now);
  core.apply({ type: "tick" }, now);
  const later = { ...now, mono: LEASE_MS + 1 };
  core.apply({ type: "lease-gained", owner: "bench", lastInvocations: last, lastOutcomes: 0 }, later);
  core.apply({ type: "appended", epoch: core.view.epoch, sequence: 1 }, later);
  const partitions = { 0: { epoch: core.view.epoch, applied: 0, holds: [] } };
  const announcement = {
    executor: "e1",
    pool: "shared",
    capacity: 100,
    draining: false,
    isolation: "process" as const,
    memoryLimits: false,
    partitions,
    warm: [],
    calls: {},
  };
  return core.apply({ type: "announcement", announcement }, later);
}

const packs = Math.ceil(COUNT / PACK);
const before = megabytes();
const heldBefore = process.memoryUsage().arrayBuffers / 2 ** 20;
const core = createCore({ partition: 0, logs: logs(packs) });
core.apply({ type: "function", registryId, rules, indexRevision: 1 }, { mono: 0, broker: 1_000, leaseSafe: true });
let replayMs = 0;
for (let pack = 0; pack < packs; pack++) {
  const heads = Array.from({ length: Math.min(PACK, COUNT - pack * PACK) }, (_, nth) => createHead(pack * PACK + nth));
  const at = performance.now();
  core.apply(
    { type: "invocations", sequence: pack + 1, at: 1_000, heads },
    { mono: 0, broker: 1_000, leaseSafe: true },
  );
  replayMs += performance.now() - at;
}
const rssMb = megabytes() - before;
const arraysMb = process.memoryUsage().arrayBuffers / 2 ** 20 - heldBefore;
let at = performance.now();
const handedOut = firstHandOut(core, packs).some((action) => action.do === "work");
const handOutMs = performance.now() - at;

// The rows of a checkpoint instead of the log.
const later = { mono: LEASE_MS + 120_000, broker: 1_000, leaseSafe: true };
at = performance.now();
const stored = core.apply({ type: "tick" }, later).find((action) => action.do === "store-checkpoint");
const checkpointMs = performance.now() - at;
if (!stored || !handedOut) throw new Error("no checkpoint, or nothing was handed out");
const state = stored.parts.at(-1)!.bytes;
at = performance.now();
const again = createCore({
  partition: 0,
  logs: { ...logs(packs), outcomes: { createdAt: 1, first: 1, last: 1 } },
  checkpoint: { state, segments: new Map() },
});
firstHandOut(again, packs);
const restoreMs = performance.now() - at;

const round = (value: number) => Math.round(value * 10) / 10;
const figures = {
  queued: COUNT,
  arraysMb: round(arraysMb),
  bytesARow: round((arraysMb * 2 ** 20) / COUNT),
  rssMb: round(rssMb),
  replayMs: round(replayMs),
  handOutAfterReplayMs: round(handOutMs),
  checkpointMs: round(checkpointMs),
  checkpointMb: round(state.length / 2 ** 20),
  startFromCheckpointToHandOutMs: round(restoreMs),
};
console.log(JSON.stringify(figures));
console.table(figures);
