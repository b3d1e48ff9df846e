import { buckets, createId, encodeEntryPack, encodeInvocationPack, type FreeRecord, subjects } from "@fnbus/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RetentionParts, retain } from "../src/out/retention.ts";
import { sweepBodies } from "../src/out/sweep.ts";
import { type Platform, startPlatform } from "./peers/platform.ts";

const HOUR_MS = 3_600_000;

describe("what is no longer needed", () => {
  let platform: Platform;
  let gaveUp: string[];
  beforeEach(async () => {
    platform = await startPlatform({ records: 1024 * 1024, parked: 1024 * 1024 });
    gaveUp = [];
  });
  afterEach(() => platform.stop());

  const parts = (extra: Partial<RetentionParts> = {}): RetentionParts => ({
    now: () => Date.now(),
    keepRecordsMs: HOUR_MS,
    keepDeadLettersMs: HOUR_MS,
    projectedRecords: () => Number.POSITIVE_INFINITY,
    callbacksMark: () => Number.POSITIVE_INFINITY,
    parkedFloor: () => Number.POSITIVE_INFINITY,
    gaveUp: (reason) => gaveUp.push(reason),
    ...extra,
  });
  const first = async (stream: string) => (await platform.bus.streamState(stream)).first;
  const fill = async (subject: string, count: number) => {
    for (let number = 0; number < count; number++) await platform.bus.append(subject, Buffer.alloc(16 * 1024));
  };
  const record = (meta: FreeRecord) => platform.bus.append(subjects.records(0), encodeEntryPack({}, [{ meta }]));

  it("RECORDS is cut when it is half full, never past the projection (L22)", async () => {
    await fill(subjects.records(0), 40);
    await retain(platform.bus, 0, parts({ projectedRecords: () => 5 }));
    expect(await first("RECORDS_0")).toBe(6);
    await retain(platform.bus, 0, parts());
    const { bytes } = await platform.bus.streamState("RECORDS_0");
    expect(bytes).toBeLessThan(0.45 * 1024 * 1024);
  });

  it("RECORDS keeps the ends of callbacks above the low mark, however old (L22, L26)", async () => {
    await record({ type: "give-up", at: 0, service: "x", what: "y", reason: "z" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { sequence } = await platform.bus.append(subjects.outcomes(0), Buffer.from("outcome with a callback"));
    await record({ type: "callback-end", id: createId(), at: 0, how: "delivered", attempts: 1 });
    const old = { now: () => Date.now() + 2 * HOUR_MS };
    await retain(platform.bus, 0, parts({ ...old, callbacksMark: () => sequence }));
    expect(await first("RECORDS_0")).toBe(2);
    await retain(platform.bus, 0, parts({ ...old, callbacksMark: () => undefined }));
    expect(await first("RECORDS_0")).toBe(2);
    await retain(platform.bus, 0, parts({ ...old, callbacksMark: () => sequence + 1 }));
    expect(await first("RECORDS_0")).toBe(3);
  });

  it("PARKED gives up dead letters by age and size, visibly, and never what is unfinished (L25, I6)", async () => {
    await fill(subjects.parked(0), 10);
    await retain(platform.bus, 0, parts());
    expect(await first("PARKED_0")).toBe(1);
    await retain(platform.bus, 0, parts({ now: () => Date.now() + 2 * HOUR_MS, parkedFloor: () => 4 }));
    expect(await first("PARKED_0")).toBe(4);
    await fill(subjects.parked(0), 50);
    await retain(platform.bus, 0, parts());
    expect(await first("PARKED_0")).toBeGreaterThan(10);
    expect(gaveUp).toEqual(["dead letters are over their age", "PARKED is over its size"]);
  });

  it("large bodies go when nothing names them: not the unfinished, the readable, the redrivable, the young (L24)", async () => {
    const store = await platform.bus.objects(buckets.bodies);
    const ids = Array.from({ length: 5 }, () => createId());
    const [live, readable, redrivable, trimmed, unknown] = ids as [string, string, string, string, string];
    for (const id of ids) await store.put(`0/${id}/request/x`, encodeInvocationPack([]));
    await store.put(`1/${unknown}/request/x`, Buffer.from("another partition's"));
    const view = {} as never;
    const found = new Map([
      [readable, { view, sequence: 9, index: 0 }],
      [redrivable, { view, sequence: 1, index: 0, place: { stream: "parked" as const, sequence: 9, index: 0 } }],
      [trimmed, { view, sequence: 1, index: 0, place: { stream: "parked" as const, sequence: 1, index: 0 } }],
    ]);
    const sweep = (now: number) =>
      sweepBodies(store, 0, {
        now: () => now,
        isUnfinished: (id) => id === live,
        find: async (id) => found.get(id),
        firstOutcome: 5,
        firstParked: 5,
      });
    expect(await sweep(Date.now())).toBe(0);
    expect(await sweep(Date.now() + 2 * HOUR_MS)).toBe(2);
    const left = (await store.list()).map(({ name }) => name.split("/")[1]).toSorted();
    expect(left).toEqual([live, readable, redrivable, unknown].toSorted());
  });
});
