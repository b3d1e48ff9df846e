import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isBusError } from "@fnbus/bus";
import { assertSilence, until } from "@fnbus/testing";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toOutcome } from "./outcome.ts";
import {
  endOf,
  type Platform,
  putOutcomes,
  type Receiver,
  recordsOf,
  startPlatform,
  startReceiver,
} from "./platform.ts";

let platform: Platform;
let receivers: Receiver[] = [];
let silence: ReturnType<typeof assertSilence>;
const cleanups: (() => Promise<unknown>)[] = [];

const receiver = async (...args: Parameters<typeof startReceiver>): Promise<Receiver> => {
  const one = await startReceiver(...args);
  receivers.push(one);
  return one;
};
const dispatcher = async (extra?: Record<string, string>) => {
  const running = await platform.startDispatcher(extra);
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= running.stop());
  cleanups.push(stop);
  return { ...running, stop };
};
const allEnded = (ids: readonly string[], timeoutMs = 50_000) =>
  until(
    `${ids.length} callbacks have an end`,
    async () => {
      await sleep(100);
      return endOf(await recordsOf(platform.bus, new Set(ids))).length >= ids.length;
    },
    timeoutMs,
  );

beforeEach(async () => {
  silence = assertSilence();
  platform = await startPlatform();
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await Promise.all(receivers.map((one) => one.stop()));
  receivers = [];
  await platform.stop();
  silence.assert();
});

const many = (count: number, url: string) => Array.from({ length: count }, () => toOutcome(url));
const idsOf = (list: readonly { id: string }[]) => list.map(({ id }) => id);

describe("losing Redis", () => {
  it("FLUSHALL in the middle loses no callback (I5)", async () => {
    const hook = await receiver((response) => setTimeout(() => response.writeHead(200).end(), 5));
    await dispatcher();
    const outcomes = many(1500, hook.url);
    const redis = new Redis(platform.redis.url);
    cleanups.push(async () => redis.disconnect());
    await putOutcomes(platform.bus, outcomes);
    await until("some have arrived", () => hook.received.length > 200);
    await redis.flushall();
    expect(hook.received.length).toBeLessThan(1500);
    const began = performance.now();
    await allEnded(idsOf(outcomes));
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(new Set(hook.received.map(({ id }) => id)).size).toBe(1500);
  });

  it("a Redis that is away at the start delays callbacks, and readiness says so", async () => {
    const hook = await receiver();
    await platform.redis.kill();
    const running = await dispatcher();
    const outcomes = many(20, hook.url);
    await putOutcomes(platform.bus, outcomes);
    await sleep(500);
    expect(running.notReady?.()).toEqual(["waits for Redis"]);
    await platform.redis.restart();
    await allEnded(idsOf(outcomes));
    await until("ready", () => running.notReady?.().length === 0);
    expect(hook.received).toHaveLength(20);
  });

  it("kill -9 of Redis in the middle loses no callback (I5)", async () => {
    const hook = await receiver((response) => setTimeout(() => response.writeHead(200).end(), 5));
    await dispatcher();
    const outcomes = many(1000, hook.url);
    await putOutcomes(platform.bus, outcomes);
    await until("some have arrived", () => hook.received.length > 100);
    await platform.redis.restart();
    await allEnded(idsOf(outcomes));
    expect(new Set(hook.received.map(({ id }) => id)).size).toBe(1000);
  });

  it("a job that vanished alone is made anew by the reconciler", async () => {
    let isDown = true;
    const hook = await receiver((response) => response.writeHead(isDown ? 503 : 200).end());
    await dispatcher({ FNBUS_CALLBACK_SCHEDULE: "1s,1s,1s", FNBUS_CALLBACK_RECONCILE: "300ms" });
    const [outcome] = many(1, hook.url);
    await putOutcomes(platform.bus, [outcome!]);
    await until("tried once", async () => (await recordsOf(platform.bus, outcome!.id)).length === 1);
    const redis = new Redis(platform.redis.url);
    cleanups.push(async () => redis.disconnect());
    await redis.del(`fnbus:callbacks:cb-${outcome!.id}`);
    await redis.zrem("fnbus:callbacks:delayed", `cb-${outcome!.id}`);
    isDown = false;
    await allEnded([outcome!.id]);
    expect(hook.received).toHaveLength(2);
  });

  it("nothing is added while Redis is over 80 % of its memory, and all of it afterwards (L26)", async () => {
    const hook = await receiver();
    const redis = new Redis(platform.redis.url);
    cleanups.push(async () => redis.disconnect());
    await redis.config("SET", "maxmemory", "1mb");
    const running = await dispatcher();
    const outcomes = many(20, hook.url);
    await putOutcomes(platform.bus, outcomes);
    await until("it says so", () => running.notReady?.()[0]?.startsWith("waits for memory of Redis") === true);
    await sleep(300);
    expect(hook.received).toEqual([]);
    await redis.config("SET", "maxmemory", "0");
    await allEnded(idsOf(outcomes));
    expect(hook.received).toHaveLength(20);
  });
});

describe("dying", () => {
  const start = (extra: Record<string, string> = {}) => {
    const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
    const child = spawn(process.execPath, [main], { env: platform.variables(extra), stdio: "ignore" });
    cleanups.push(async () => child.kill("SIGKILL"));
    return child;
  };

  it("kill -9 in the middle of a POST sends it again, the same bytes with the same id (I4, I5)", async () => {
    const hook = await receiver((response) => {
      if (hook.received.length > 1) response.writeHead(200).end();
    });
    const first = start();
    const [outcome] = many(1, hook.url);
    await putOutcomes(platform.bus, [outcome!]);
    await until("the POST is under way", () => hook.received.length === 1, 20_000);
    first.kill("SIGKILL");
    start();
    await allEnded([outcome!.id], 110_000);
    expect(hook.received.map(({ id }) => id)).toEqual([outcome!.id, outcome!.id]);
    expect(hook.received[0]!.body.equals(hook.received[1]!.body)).toBe(true);
  }, 150_000);

  it("a dispatcher that starts after the others died knows what is open, and sends nothing twice that has an end", async () => {
    const hook = await receiver();
    const first = await dispatcher();
    const before = many(50, hook.url);
    await putOutcomes(platform.bus, before);
    await allEnded(idsOf(before));
    await first.stop();
    const after = many(50, hook.url);
    await putOutcomes(platform.bus, after);
    const redis = new Redis(platform.redis.url);
    cleanups.push(async () => redis.disconnect());
    await redis.flushall();
    await dispatcher();
    await allEnded(idsOf(after));
    await sleep(500);
    expect(hook.received).toHaveLength(100);
  });

  it("two replicas share the callbacks, and the other keeps account when one stops", async () => {
    const hook = await receiver((response) => setTimeout(() => response.writeHead(200).end(), 2));
    const [one, two] = [await dispatcher(), await dispatcher()];
    await until("one keeps", () => [one, two].filter((each) => each.health?.().keeps).length === 1);
    const first = many(400, hook.url);
    await putOutcomes(platform.bus, first);
    await allEnded(idsOf(first));
    await (one.health?.().keeps ? one : two).stop();
    const second = many(400, hook.url);
    await putOutcomes(platform.bus, second);
    await allEnded(idsOf(second));
    expect(new Set(hook.received.map(({ id }) => id)).size).toBe(800);
    expect(hook.received.length).toBe(800);
  });

  it("a broker that was killed delays callbacks and loses none", async () => {
    const hook = await receiver((response) => setTimeout(() => response.writeHead(200).end(), 5));
    await dispatcher();
    const outcomes = many(600, hook.url);
    await putOutcomes(platform.bus, outcomes);
    await until("some have arrived", () => hook.received.length > 50);
    await platform.nats.restart();
    await until("the test is connected", () => platform.bus.isConnected());
    await until(
      "all have an end",
      async () => {
        await sleep(200);
        const records = await recordsOf(platform.bus, new Set(idsOf(outcomes))).catch((error: unknown) => {
          if (isBusError(error)) return [];
          throw error;
        });
        return new Set(endOf(records).map(({ id }) => id)).size === 600;
      },
      50_000,
    );
  });
});

describe("first tries", () => {
  it("to one host that stand in one message are few jobs, and each that fails gets one of its own", async () => {
    let count = 0;
    const hook = await receiver((response) => response.writeHead(++count % 10 === 1 && count < 100 ? 503 : 200).end());
    await dispatcher({ FNBUS_CALLBACK_SCHEDULE: "300ms,300ms" });
    const outcomes = many(100, hook.url);
    await putOutcomes(platform.bus, outcomes);
    await allEnded(idsOf(outcomes));
    const redis = new Redis(platform.redis.url);
    cleanups.push(async () => redis.disconnect());
    const completed = () => redis.zrange("fnbus:callbacks:completed", "0", "-1");
    await until("all jobs ended", async () => (await completed()).length === 4 + 10);
    expect((await completed()).filter((id) => id.startsWith("first-"))).toHaveLength(4);
    expect(hook.received).toHaveLength(110);
  });

  it("wait for no other of their message: one host hangs, the others have theirs at once", async () => {
    const hanging = await receiver(() => {});
    const healthy = await receiver();
    await dispatcher({ FNBUS_CALLBACK_TIMEOUT_MS: "5000" });
    const outcomes = Array.from({ length: 200 }, (_, index) => toOutcome(index % 2 ? hanging.url : healthy.url));
    await putOutcomes(platform.bus, outcomes);
    await until("the healthy host has all of its callbacks", () => healthy.received.length === 100, 4_000);
  });
});

describe("a receiver that hangs", () => {
  it("delays nobody else: another's p99 stays below 150 ms beside 500 callbacks for it", async () => {
    const hanging = await receiver(() => {});
    const healthy = await receiver();
    await dispatcher({ FNBUS_CALLBACK_TIMEOUT_MS: "5000", FNBUS_CALLBACK_CONCURRENCY: "64" });
    await putOutcomes(platform.bus, many(500, hanging.url));
    await until("it hangs", () => hanging.received.length >= 16);
    const tookMs: number[] = [];
    for (let round = 0; round < 100; round++) {
      const [outcome] = many(1, healthy.url);
      const began = performance.now();
      await putOutcomes(platform.bus, [outcome!]);
      await until("arrived", () => healthy.received.at(-1)?.id === outcome!.id);
      tookMs.push(healthy.received.at(-1)!.at - began);
    }
    tookMs.sort((a, b) => a - b);
    expect(tookMs[98]).toBeLessThan(150);
  });
});
