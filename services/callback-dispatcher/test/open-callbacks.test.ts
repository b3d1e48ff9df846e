import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEndpoints } from "../src/core/endpoints.ts";
import { createOpenCallbacks, type OpenCallback } from "../src/core/open-callbacks.ts";
import { createRecordFloor } from "../src/core/record-floor.ts";

const callback = (id: string, sequence: number, extra: Partial<OpenCallback> = {}): OpenCallback => ({
  id,
  partition: 0,
  sequence,
  index: 0,
  space: "default",
  host: "example.com",
  attempts: 0,
  since: 0,
  redrive: 0,
  copied: false,
  hasJob: false,
  dueAt: 0,
  afterRecord: 0,
  ...extra,
});

describe("open callbacks", () => {
  it("the low mark never passes one that is neither ended nor copied, in whatever order things happen (L26)", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("end" as const), of: fc.nat(39) }),
      fc.record({ do: fc.constant("copy" as const) }),
      fc.record({ do: fc.constant("read" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const open = createOpenCallbacks();
        const held = new Map<string, number>();
        let sequence = 0;
        let record = 0;
        for (const one of steps) {
          if (one.do === "read") {
            sequence++;
            for (const part of [0, 1]) {
              const id = `${sequence * 2 + part}`;
              open.open(callback(id, sequence));
              if (open.get(id)) held.set(id, sequence);
            }
            open.read(0, sequence);
          } else if (one.do === "end") {
            open.end(`${one.of}`, ++record);
            held.delete(`${one.of}`);
          } else {
            const oldest = open.oldest(0);
            if (!oldest) continue;
            expect(oldest.sequence).toBe(Math.min(...held.values()));
            open.copied(0, oldest.sequence);
            for (const { id } of oldest.callbacks) held.delete(id);
          }
          const expected = held.size > 0 ? Math.min(...held.values()) : sequence === 0 ? 0 : sequence + 1;
          expect(open.lowMark(0)).toBe(expected);
        }
      }),
    );
  });

  it("an end that came before its outcome was read keeps it from being opened", () => {
    const open = createOpenCallbacks();
    open.end("a", 5);
    open.open(callback("a", 9));
    expect(open.size).toBe(0);
  });

  it("a redrive is not ended by the end of the delivery before it", () => {
    const open = createOpenCallbacks();
    open.end("a", 5);
    open.open(callback("a", 9, { redrive: 1, copied: true, afterRecord: 7 }));
    expect(open.end("a", 6)).toBeUndefined();
    expect(open.size).toBe(1);
    expect(open.end("a", 8)?.id).toBe("a");
  });

  it("every open callback asks for its job again when Redis has forgotten (I5)", () => {
    const open = createOpenCallbacks();
    for (const id of ["a", "b", "c"]) open.open(callback(id, id === "c" ? 2 : 1));
    expect(open.withoutJob(2).map(({ id }) => id)).toEqual(["a", "b"]);
    open.hasJob(["cb-a", "cb-b", "cb-c"]);
    expect(open.withoutJob(10)).toEqual([]);
    open.end("b", 1);
    open.forgetJobs();
    expect(open.withoutJob(10).map(({ id }) => id)).toEqual(["a", "c"]);
  });

  it("are listed for jobs by whole messages, so that no series is torn", () => {
    const open = createOpenCallbacks();
    for (let index = 0; index < 40; index++) open.open(callback(`${index}`, 1 + Math.floor(index / 10)));
    expect(open.withoutJob(15)).toHaveLength(20);
  });

  it("leave their series with the first try, and where its job was not found", () => {
    const open = createOpenCallbacks();
    for (const id of ["a", "b", "c"]) open.open(callback(id, 1, { series: "first-0-1-0-0" }));
    open.tried("a", 1, 100);
    open.forgetJob("b");
    expect(["a", "b", "c"].map((id) => open.get(id)?.series)).toEqual([undefined, undefined, "first-0-1-0-0"]);
  });

  it("are remembered when they ended, for a redrive", () => {
    const open = createOpenCallbacks();
    open.open(callback("a", 7, { index: 3 }));
    open.end("a", 1);
    expect(open.ended("a")).toMatchObject({ sequence: 7, index: 3 });
    expect(open.ended("b")).toBeUndefined();
  });

  it("counts the open ones of a host", () => {
    const open = createOpenCallbacks();
    for (const id of ["a", "b"]) open.open(callback(id, 1));
    open.end("a", 1);
    open.end("a", 2);
    expect([open.openAt("example.com"), open.openAt("other")]).toEqual([1, 0]);
  });
});

describe("the floor of records", () => {
  it("is never above what had been applied when the mark's outcome was read", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(600), { minLength: 1, maxLength: 50 }), fc.nat(49), (gaps, at) => {
        const floor = createRecordFloor(0);
        let record = 0;
        const applied = gaps.map((gap, sequence) => {
          record += gap;
          floor.read(sequence + 1, record);
          return record;
        });
        const mark = Math.min(at, applied.length - 1) + 1;
        expect(floor.at(mark)).toBeLessThanOrEqual(applied[mark - 1]!);
      }),
    );
  });
});

describe("endpoints", () => {
  const create = () => createEndpoints({ pauseAfterMs: 1000, maxHosts: 2 });
  const fail = (endpoints: ReturnType<typeof create>, times: number, from: number, stepMs: number, host = "a") =>
    Array.from({ length: times }, (_, index) => endpoints.tried(host, from + index * stepMs, "failed"));

  it("are paused when they only failed for long, and told so once", () => {
    const endpoints = create();
    expect(fail(endpoints, 12, 0, 200).filter(Boolean)).toHaveLength(1);
    expect(endpoints.paused()).toEqual(["a"]);
    expect(endpoints.resume("a")).toBe(true);
    expect(endpoints.resume("a")).toBe(false);
    expect(endpoints.isPaused("a")).toBe(false);
  });

  it("are not paused for two failures far apart, nor for many in a short time, nor with a success between", () => {
    const rare = create();
    fail(rare, 2, 0, 1_000_000);
    const burst = create();
    fail(burst, 500, 0, 1);
    const mixed = create();
    fail(mixed, 9, 0, 500);
    mixed.tried("a", 4500, "delivered");
    fail(mixed, 9, 5000, 100);
    for (const endpoints of [rare, burst, mixed]) expect(endpoints.paused()).toEqual([]);
  });

  it("are bounded (I11), and known again after a restart", () => {
    const endpoints = create();
    for (const host of ["a", "b", "c"]) fail(endpoints, 12, 0, 200, host);
    expect(endpoints.all().map(({ host }) => host)).toEqual(["a", "b"]);
    expect(createEndpoints({ pauseAfterMs: 1000, maxHosts: 2 }, endpoints.all()).isPaused("b")).toBe(true);
  });
});
