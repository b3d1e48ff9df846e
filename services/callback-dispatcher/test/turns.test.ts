import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createHostGate } from "../src/core/host-gate.ts";
import { createTurns } from "../src/in/turns.ts";

test("a place that becomes free goes to one that still waits, not to one that gave up", async () => {
  const waitMs = 300;
  const turns = createTurns(createHostGate({ perHost: 2, waitMs, maxHosts: 10 }), waitMs);
  expect([await turns.take("h"), await turns.take("h")]).toEqual(["go", "go"]);
  const gaveUp = turns.take("h");
  await sleep(waitMs + 20);
  expect(await gaveUp).toEqual({ atMs: expect.any(Number) });
  const began = performance.now();
  const waiting = turns.take("h");
  turns.leave("h", { durationMs: 5, failed: false });
  expect(await waiting).toBe("go");
  expect(performance.now() - began).toBeLessThan(waitMs / 2);
});
