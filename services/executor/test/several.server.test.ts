import { setTimeout as sleep } from "node:timers/promises";
import { type CallReply, type RegisteredFunction, subjects } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Platform, startPlatform, startTestExecutor, type TestExecutor, toMeta } from "./platform.ts";

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.stop());

const settings = { runtime: "nodejs", handler: "index.handler" } as const;
const sleeping = { "index.js": "exports.handler = (ms) => new Promise((r) => setTimeout(() => r(process.pid), ms));" };
const facts = (executor: TestExecutor) =>
  executor.health?.() as { instances: number; memoryMb: number; queued: number };

async function callAt(executor: TestExecutor, found: RegisteredFunction, body = ""): Promise<CallReply> {
  const head = JSON.stringify(toMeta(found));
  const options = { timeoutMs: 20_000 };
  const answer = await platform.bus.call(subjects.callAt(executor.name), head, Buffer.from(body), options);
  return JSON.parse(answer.head) as CallReply;
}

describe("two executors of a pool", () => {
  test("each takes its share of a function's limit by name, and refuses what is over it", async () => {
    const pool = { FNBUS_EXECUTOR_POOL: "pair" };
    const both = await Promise.all([startTestExecutor(platform, pool), startTestExecutor(platform, pool)]);
    const concurrency = { limit: 4, perInstance: 4, prestart: 0 };
    const found = await platform.deploy({ ...settings, pool: "pair", concurrency }, sleeping);
    await Promise.all(both.map((executor) => callAt(executor, found, "1")));
    await sleep(1_200);
    for (const executor of both) {
      const replies = await Promise.all(Array.from({ length: 3 }, () => callAt(executor, found, "300")));
      expect(replies.filter(({ ok }) => ok).length).toBe(2);
      expect(replies.find(({ ok }) => !ok)).toMatchObject({ code: "concurrency_limited", retryAfterSeconds: 1 });
      expect(replies.find(({ ok }) => ok)).toMatchObject({ result: { executor: executor.name } });
    }
    await both[1]!.stop();
    const alone = await Promise.all(Array.from({ length: 4 }, () => callAt(both[0]!, found, "300")));
    expect(alone.every(({ ok }) => ok)).toBe(true);
    await both[0]!.stop();
  });
});

describe("instances of one executor", () => {
  test("stand ready where prestarted, even idle, and are reaped where not", async () => {
    const executor = await startTestExecutor(platform, {
      FNBUS_EXECUTOR_POOL: "keep",
      FNBUS_EXECUTOR_IDLE_SECONDS: "1",
    });
    const prestarted = { limit: 10, perInstance: 1, prestart: 2 };
    await platform.deploy({ ...settings, pool: "keep", concurrency: prestarted }, sleeping);
    await until("prestarted without a call", () => facts(executor).instances === 2);
    const once = await platform.deploy({ ...settings, pool: "keep" }, sleeping);
    await platform.call(once, "1");
    expect(facts(executor).instances).toBe(3);
    await until("the idle one is reaped", () => facts(executor).instances === 2);
    await sleep(1_500);
    expect(facts(executor).instances).toBe(2);
    await executor.stop();
  });

  test("over the budget, the one that is idle longest makes room; a call is never refused for it", async () => {
    const executor = await startTestExecutor(platform, {
      FNBUS_EXECUTOR_POOL: "small",
      FNBUS_EXECUTOR_INSTANCES: "2",
      FNBUS_EXECUTOR_MEMORY_MB: "256",
    });
    const deploy = (memoryMb = 128) => platform.deploy({ ...settings, pool: "small", memoryMb }, sleeping);
    const [first, second, third, large] = [await deploy(), await deploy(), await deploy(), await deploy(256)];
    const pidOf = async (found: RegisteredFunction) => {
      const { reply, body } = await platform.call(found, "1");
      if (!reply.ok) throw new Error(reply.code);
      return { cold: reply.result.cold, pid: body.toString() };
    };
    await pidOf(first);
    await sleep(20);
    await pidOf(second);
    await pidOf(third);
    expect(facts(executor).instances).toBe(2);
    expect(await pidOf(second)).toMatchObject({ cold: false });
    expect(await pidOf(first)).toMatchObject({ cold: true });
    expect(await pidOf(large)).toMatchObject({ cold: true });
    expect(facts(executor)).toMatchObject({ instances: 1, memoryMb: 256 });
    await executor.stop();
  });

  test("of several calls: one over its timeout ends as such, the others as lost and not as the function's fault (I9)", async () => {
    const executor = await startTestExecutor(platform, { FNBUS_EXECUTOR_POOL: "shared-instance" });
    const concurrency = { limit: 10, perInstance: 2, prestart: 0 };
    const found = await platform.deploy(
      { ...settings, pool: "shared-instance", timeoutMs: 700, concurrency },
      sleeping,
    );
    await platform.call(found, "1");
    const late = platform.call(found, "5000");
    await sleep(400);
    const neighbour = platform.call(found, "650");
    expect((await late).reply).toMatchObject({ ok: true, result: { error: { code: "function_timeout" } } });
    expect((await neighbour).reply).toMatchObject({ ok: false, code: "instance_lost" });

    await platform.call(found, "1");
    const impatient = platform.call(found, "600", { deadlineMs: 150 });
    const patient = platform.call(found, "500");
    expect((await impatient).reply).toMatchObject({ ok: false, code: "deadline_exceeded" });
    expect((await patient).reply).toMatchObject({ ok: true, result: { statusCode: 200 } });
    await until("the instance goes with its last call", () => facts(executor).instances === 0);
    await executor.stop();
  });
});
