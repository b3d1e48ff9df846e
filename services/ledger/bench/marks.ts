import { setTimeout as nextTurn } from "node:timers/promises";
import { type FrameHead, frameFlags } from "@fnbus/contract";
import { encodeCheckpoint, restoreCheckpoint } from "../src/core/checkpoint.ts";
import { readInvocations } from "../src/core/judge.ts";
import { finish } from "../src/core/lifecycle.ts";
import { createState, type State } from "../src/core/state.ts";

/**
 * A million counting sources: what their marks take in memory and in a checkpoint, and the CPU time to move them, to
 * store and restore them, and to forget them all. No invocation is left unfinished; the broker is not part of it.
 *
 *   node --expose-gc services/ledger/bench/marks.ts [count]
 */
const COUNT = Number(process.argv[2] ?? 1_000_000);
const PACK = 256;
const RETENTION_MS = 1_000;
const collect = () => (globalThis as { gc?: () => void }).gc?.();
const cpuMs = <T>(run: () => T): [T, number] => {
  collect();
  const before = process.cpuUsage();
  const value = run();
  const { user, system } = process.cpuUsage(before);
  return [value, Math.round((user + system) / 100) / 10];
};
const megabytes = (bytes: number) => Math.round((bytes / 2 ** 20) * 10) / 10;

const createHead = (nth: number): FrameHead => ({
  ...{ offset: 0, bytes: 1_200, flags: frameFlags.counting, partition: 0, revision: 1, priority: 0, overlap: "allow" },
  ...{ id: `018f0000-0000-7000-8000-${nth.toString(16).padStart(12, "0")}`, bodyHash: "0".repeat(32) },
  ...{ registryId: "018f0000-0000-7000-8000-00000000ffff", delayMs: 0, ttlMs: 3_600_000, orderingKeyHash: 0 },
  ...{
    metaBytes: 0,
    bodyBytes: 1_000,
    source: Math.imul(nth, 0x9e3779b1).toString(16).slice(-7).padStart(32, String(nth)),
  },
  ...{ first: 1, last: 1 },
});

function create(): State {
  const at = (last: number) => ({ createdAt: 1, first: 1, last });
  const limits = { marks: COUNT, markRetentionMs: RETENTION_MS, recentWindowMs: 1, recentIds: 2 * COUNT };
  return createState({ partition: 0, logs: { invocations: at(COUNT), outcomes: at(COUNT) }, limits });
}

/** Reads a pack and ends all that it holds. */
function read(state: State, sequence: number, at: number, heads: FrameHead[]): void {
  readInvocations(state, { type: "invocations", sequence, at, heads });
  for (const row of [...state.rows.all()]) finish(state, row, "succeeded", at);
}

const state = create();
const packs = Array.from({ length: Math.ceil(COUNT / PACK) }, (_, pack) =>
  Array.from({ length: Math.min(PACK, COUNT - pack * PACK) }, (_, nth) => createHead(pack * PACK + nth)),
);
collect();
const held = process.memoryUsage().arrayBuffers;
const [, moveMs] = cpuMs(() => {
  for (const [nth, heads] of packs.entries()) read(state, nth + 1, 1_000 + nth / packs.length, heads);
});
// Ended ids are not what is measured.
state.recent.forget(Number.MAX_SAFE_INTEGER);
collect();
// What is collected is counted off a turn later.
await nextTurn(100);
const arrays = process.memoryUsage().arrayBuffers - held;
const [{ object, parts }, storeMs] = cpuMs(() => encodeCheckpoint(state));
const stored = { state: parts.find((part) => part.object === object)!.bytes, segments: new Map() };
const [isTaken, restoreMs] = cpuMs(() => restoreCheckpoint(create(), stored));
const kept = state.marks.count;
const [, forgetMs] = cpuMs(() => state.marks.forget(1_001 + RETENTION_MS));
if (!isTaken || kept !== COUNT || state.marks.count > 0)
  throw new Error(`${kept} marks, ${state.marks.count} are left`);

const figures = {
  marks: COUNT,
  arraysMb: megabytes(arrays),
  bytesAMark: Math.round(arrays / COUNT),
  readAndEndCpuMs: moveMs,
  checkpointCpuMs: storeMs,
  checkpointMb: megabytes(stored.state.length),
  restoreCpuMs: restoreMs,
  forgetAllCpuMs: forgetMs,
};
console.log(JSON.stringify(figures));
console.table(figures);
