import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createHostGate } from "../src/core/host-gate.ts";
import { createTurns } from "../src/in/turns.ts";

const quick = { durationMs: 5, failed: false };

test("a place that becomes free goes to one that still waits, not to one that gave up", async () => {
  const waitMs = 300;
  const turns = createTurns(createHostGate({ perHost: 2, waitMs, maxHosts: 10 }), waitMs, () => {});
  expect([await turns.take("h", "1"), await turns.take("h", "2")]).toEqual(["go", "go"]);
  const gaveUp = turns.take("h", "3");
  await sleep(waitMs + 20);
  expect(await gaveUp).toEqual({ atMs: expect.any(Number) });
  const began = performance.now();
  const waiting = turns.take("h", "4");
  turns.leave("h", quick);
  expect(await waiting).toBe("go");
  expect(performance.now() - began).toBeLessThan(waitMs / 2);
});

test("a job that was put off is woken by a place that becomes free, however late its time, and once", async () => {
  const woken: string[] = [];
  const turns = createTurns(createHostGate({ perHost: 1, waitMs: 10, maxHosts: 10 }), 10, (id) => woken.push(id));
  expect(await turns.take("h", "first")).toBe("go");
  for (const id of ["a", "b", "c", "d"]) {
    expect(await turns.take("h", id)).toEqual({ atMs: expect.any(Number) });
    turns.putOff("h", id);
  }
  expect(await turns.take("h", "a")).not.toBe("go");
  turns.leave("other", quick);
  expect(woken).toEqual([]);
  turns.leave("h", quick);
  expect(woken).toEqual(["b", "c"]);
  expect(await turns.take("h", "d")).toBe("go");
  turns.leave("h", quick);
  expect(woken).toEqual(["b", "c"]);
});
