import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdIndex } from "../src/core/id-index.ts";
import { readWords, wordsToId } from "../src/core/id-words.ts";
import { KeptIds } from "../src/core/kept-ids.ts";
import { LiveMessages } from "../src/core/live-messages.ts";
import { afterFailure, jitterShare } from "../src/core/retry.ts";
import { Rows, rowState } from "../src/core/rows.ts";
import { Timers } from "../src/core/timers.ts";

const ids = fc.uuid();

describe("ids in typed arrays (L28)", () => {
  it("words give back the id's text", () => {
    fc.assert(
      fc.property(ids, (id) => {
        expect(wordsToId(readWords(id, new Uint32Array(4)), 0)).toBe(id);
      }),
    );
  });

  it("an index finds what was added and not removed, whatever the order", () => {
    const step = fc.record({ nth: fc.nat(30), add: fc.boolean() });
    fc.assert(
      fc.property(
        fc.uniqueArray(ids, { minLength: 31, maxLength: 31 }),
        fc.array(step, { maxLength: 200 }),
        (all, steps) => {
          const column = new Uint32Array(31 * 4);
          for (const [nth, id] of all.entries()) column.set(readWords(id, new Uint32Array(4)), nth * 4);
          const index = new IdIndex(4);
          const present = new Set<number>();
          for (const { nth, add } of steps) {
            if (add && !present.has(nth)) index.add(nth, column);
            if (!add) index.remove(nth, column);
            if (add) present.add(nth);
            else present.delete(nth);
          }
          for (let nth = 0; nth <= 30; nth++)
            expect(index.find(column, nth * 4, column)).toBe(present.has(nth) ? nth : -1);
        },
      ),
    );
  });
});

describe("timers", () => {
  it("give rows in order of their times, and never one that was removed", () => {
    const entries = fc.uniqueArray(fc.record({ id: ids, ttl: fc.nat(10_000), removed: fc.boolean() }), {
      minLength: 1,
      maxLength: 80,
      selector: ({ id }) => id,
    });
    fc.assert(
      fc.property(entries, (all) => {
        const rows = new Rows();
        const timers = new Timers(rows);
        const added = all.map(({ id, ttl }) => {
          const row = rows.add(id);
          rows.ttl[row] = ttl;
          rows.state[row] = rowState.queued;
          timers.set(row);
          return row;
        });
        for (const [nth, { removed }] of all.entries()) if (removed) timers.remove(added[nth]!);
        const seen: number[] = [];
        for (let row = timers.first(); row >= 0; row = timers.first()) {
          seen.push(rows.ttl[row]!);
          timers.remove(row);
        }
        expect(seen).toEqual(
          all
            .filter(({ removed }) => !removed)
            .map(({ ttl }) => ttl)
            .sort((a, b) => a - b),
        );
      }),
    );
  });
});

describe("kept ids (L12)", () => {
  const id = "018f0000-0000-7000-8000-000000000001";
  const create = () => new KeptIds({ kind: "keyed", windowMs: 1_000, segmentMs: 200, withHashes: true });

  it("are known through their window and not after it, whenever a replica clears up", () => {
    const kept = create();
    kept.addText(id, "a".repeat(32), 5_150, "failed");
    kept.forget(6_149);
    expect(kept.find(id, 6_149)).toMatchObject({ state: "failed", endedAt: 5_150 });
    expect(kept.find(id, 6_150)).toBeUndefined();
    kept.forget(6_200);
    expect(kept.count).toBe(0);
  });

  it("tell a body hash from another", () => {
    const kept = create();
    kept.addText(id, "a".repeat(32), 5_000, "succeeded");
    const found = kept.find(id, 5_001)!;
    expect([found.sameHash("a".repeat(32)), found.sameHash("b".repeat(32))]).toEqual([true, false]);
  });

  it("come back from their segments, and a stored segment is not stored again", () => {
    const kept = create();
    kept.addText(id, "a".repeat(32), 5_000, "succeeded");
    const [part] = kept.toParts("0/");
    kept.stored("0/", new Set([part!.object]));
    expect(kept.toParts("0/")).toEqual([{ object: part!.object }]);
    const other = create();
    other.restore(part!.object, part!.bytes!);
    expect(other.find(id, 5_500)).toMatchObject({ state: "succeeded", endedAt: 5_000 });
    expect(other.toParts("0/")).toEqual([{ object: part!.object }]);
  });
});

describe("live messages (L22)", () => {
  it("the floor is the oldest message that holds an unfinished envelope", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 3_000 }), fc.integer({ min: 0 }), (counts, pick) => {
        const live = new LiveMessages(1);
        const left: number[] = [];
        for (const [nth, count] of counts.entries()) {
          for (let entry = 0; entry < count; entry++) left.push(nth + 1);
          for (let entry = 0; entry < count; entry++) live.add(nth + 1);
          live.readTo(nth + 2);
          if (left.length > 0 && (pick + nth) % 3 > 0) live.remove(left.splice((pick + nth) % left.length, 1)[0]!);
        }
        expect(live.floor()).toBe(Math.min(counts.length + 1, ...left));
      }),
      { numRuns: 50 },
    );
  });
});

describe("what follows a failed attempt (I3)", () => {
  const policy = { maxAttempts: 3, firstDelayMs: 1_000, factor: 2, maxDelayMs: 3_000, jitter: 0, on: [] };
  it.each([
    ["function_threw", 1, { again: true, delayMs: 1_000 }],
    ["function_threw", 2, { again: true, delayMs: 2_000 }],
    ["function_threw", 3, { again: false, state: "dead-lettered" }],
    ["isolation_unavailable", 1, { again: false, state: "failed" }],
    ["runner_failed", 1, { again: true, delayMs: 1_000 }],
  ] as const)("%s for the %i. time", (code, failures, expected) => {
    expect(afterFailure(policy, code, failures, 0)).toEqual(expected);
  });

  it("without tries in its policy it has failed, and is no dead letter", () => {
    expect(afterFailure({ ...policy, maxAttempts: 1 }, "function_threw", 1, 0)).toEqual({
      again: false,
      state: "failed",
    });
  });

  it("an error that the policy does not name is not tried again", () => {
    const expected = { again: false, state: "failed" };
    expect(afterFailure({ ...policy, on: ["function_timeout"] }, "function_threw", 1, 0)).toEqual(expected);
  });

  it("jitter is a share of 0 to 1, and the same for the same attempt (L8)", () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 10 }), (id, attempt) => {
        const words = readWords(id, new Uint32Array(4));
        const share = jitterShare(words, 0, attempt);
        expect(share).toBe(jitterShare(words, 0, attempt));
        expect(share >= 0 && share < 1).toBe(true);
      }),
    );
  });
});
