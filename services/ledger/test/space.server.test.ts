import { setTimeout as sleep } from "node:timers/promises";
import { isBusError } from "@fnbus/bus";
import type { FunctionDefinition } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ExecutorPeer, startExecutor } from "./peers/executor.ts";
import { ask, startTestLedger, type TestLedger, waitForEnd } from "./peers/ledger.ts";
import { type Platform, startPlatform } from "./peers/platform.ts";
import { createPublisher, type Publisher } from "./peers/publisher.ts";

const MB = 1024 * 1024;
const variables = { FNBUS_EXECUTOR_LEASE_MS: "500", FNBUS_LEDGER_LEASE_MS: "1000" };

describe("streams that are smaller than the day's traffic", () => {
  let platform: Platform;
  let ledger: TestLedger;
  let publisher: Publisher;
  let executor: ExecutorPeer;
  let flow: FunctionDefinition;

  beforeEach(async () => {
    platform = await startPlatform({ invocations: 4 * MB, outcomes: 4 * MB, parked: 4 * MB });
    ledger = await startTestLedger(platform, variables);
    publisher = createPublisher(platform.bus);
    flow = await platform.createFunction("flow");
    executor = startExecutor(platform.bus, "flow", async ({ body }) => body.slice(0, 100));
  });
  afterEach(async () => {
    executor.stop();
    await publisher.close();
    await ledger.stop();
    await platform.stop();
  });

  /** Publishes `count` envelopes of 16 KB, again where the stream was full. */
  async function push(count: number, body = "x".repeat(16 * 1024)): Promise<string[]> {
    const ids: string[] = [];
    let begun = 0;
    const acceptOne = async (): Promise<string> => {
      try {
        return await publisher.accept(flow, body);
      } catch (error) {
        if (!isBusError(error, "full")) throw error;
        await sleep(50);
        return acceptOne();
      }
    };
    const caller = async () => {
      while (begun++ < count) ids.push(await acceptOne());
    };
    await Promise.all(Array.from({ length: 8 }, caller));
    return ids;
  }

  it("five times its size goes through INVOCATIONS, and nothing accepted is lost (I3, L22)", async () => {
    const ids = await push(1280);
    for (const id of [ids[0]!, ids.at(-1)!])
      expect(await waitForEnd(platform, id)).toMatchObject({ state: "succeeded" });
    await until("all have ended", async () => {
      const { answer } = await ask(platform, { ask: "totals" });
      return answer.ok && answer.answer === "totals" && answer.ended.succeeded === ids.length;
    });
    expect(new Set(executor.started.map(({ id }) => id)).size).toBe(ids.length);
    expect(executor.started).toHaveLength(ids.length);
    const { first } = await platform.bus.streamState("INVOCATIONS_0");
    expect(first).toBeGreaterThan(1);
  });

  it("a cold start after trimming knows everything still: totals, ends, keys (L4, L7, L12)", async () => {
    const keyed = await publisher.acceptKeyed(flow, "before", "body");
    const ids = await push(640);
    await Promise.all([keyed.id, ...ids].map((id) => waitForEnd(platform, id)));
    await until("INVOCATIONS was trimmed", async () => (await platform.bus.streamState("INVOCATIONS_0")).first > 1);
    await ledger.stop();
    ledger = await startTestLedger(platform, variables);
    const { answer } = await ask(platform, { ask: "totals" });
    expect(answer).toMatchObject({ accepted: 641, unfinished: 0, ended: { succeeded: 641 } });
    expect(await publisher.acceptKeyed(flow, "before", "body")).toMatchObject({ verdict: "known", state: "succeeded" });
    expect(await publisher.acceptKeyed(flow, "before", "other")).toMatchObject({ verdict: "conflict" });
    expect(await waitForEnd(platform, ids[0]!)).toMatchObject({ state: "succeeded" });
  });

  it("one that waits long is parked, so that the rest goes on, and still runs with its body (L22)", async () => {
    const lonely = await platform.createFunction("lonely");
    const waiting = await publisher.accept(lonely, "still the same");
    const ids = await push(640);
    await Promise.all(ids.map((id) => waitForEnd(platform, id)));
    await until("it is parked", async () => (await platform.bus.streamState("PARKED_0")).last > 0);
    await until("INVOCATIONS is trimmed past it", async () => {
      const { first } = await platform.bus.streamState("INVOCATIONS_0");
      return first > 10;
    });
    expect((await ask(platform, { ask: "get", space: "test", id: waiting })).answer).toMatchObject({
      invocation: { state: "queued", function: "lonely" },
    });
    const late = startExecutor(platform.bus, "lonely", async ({ body }) => body);
    expect(await waitForEnd(platform, waiting)).toMatchObject({ state: "succeeded", attempts: 1 });
    const { body } = await ask(platform, { ask: "result", space: "test", id: waiting });
    expect(Buffer.from(body).toString("utf8")).toBe("still the same");
    late.stop();
  });

  it("with nobody to run them a full stream refuses, and what it took runs when somebody comes (L1, I1)", async () => {
    const idle = await platform.createFunction("idle");
    const ids: string[] = [];
    let full = false;
    while (!full) {
      await publisher.accept(idle, "x".repeat(64 * 1024)).then(
        (id) => ids.push(id),
        (error) => {
          if (!isBusError(error, "full")) throw error;
          full = true;
        },
      );
    }
    expect(ids.length).toBeGreaterThan(30);
    const late = startExecutor(platform.bus, "idle", async () => "done");
    const ends = await Promise.all(ids.map((id) => waitForEnd(platform, id)));
    expect(ends.every(({ state }) => state === "succeeded")).toBe(true);
    late.stop();
  });
});
