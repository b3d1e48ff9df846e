import { setTimeout } from "node:timers/promises";
import { until } from "@fnbus/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type Platform, result, sendRaw, startExecutor, startPlatform } from "./platform.ts";

describe("load", () => {
  let platform: Platform;
  let executor: { stop(): void };
  const start = async (variables: Record<string, string>, runMs: number) => {
    platform = await startPlatform(variables);
    await platform.deploy("slow");
    executor = startExecutor(platform.bus, async () => {
      await setTimeout(runMs);
      return { reply: { ok: true, result: result() }, body: Buffer.from("done") };
    });
  };
  afterEach(async () => {
    executor.stop();
    await platform.stop();
  });
  const invoke = () => platform.fetch("/spaces/default/functions/slow/invoke", { method: "POST", body: "x" });

  it("I11: over the requests in progress that are allowed, calls are 503 at once, with when to come again", async () => {
    await start({ FNBUS_MAX_IN_FLIGHT: "5" }, 500);
    const answers = await Promise.all(Array.from({ length: 12 }, invoke));
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused).toHaveLength(7);
    expect(refused[0]!.headers.get("x-fnbus-error")).toBe("overloaded");
    expect(Number(refused[0]!.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await invoke()).status).toBe(200);
  });

  it("I11: bodies that are announced but never sent hold no more than what is allowed, and give it back", async () => {
    await start({ FNBUS_MAX_BODY_MB: "16" }, 1);
    const head = `POST /spaces/default/functions/slow/invoke HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${platform.adminKey}\r\ncontent-length: 6000000\r\n\r\n`;
    const hanging = [1, 2].map(() => sendRaw(platform.url, head, 1500));
    await setTimeout(300);
    const third = await sendRaw(platform.url, head, 300);
    expect(third).toContain("x-fnbus-error: overloaded");
    await Promise.all(hanging);
    await until("the room is free again", async () => (await invoke()).status === 200);
  });

  it("a graceful stop answers every request that was taken", async () => {
    await start({}, 300);
    const answers = Array.from({ length: 20 }, invoke);
    await setTimeout(100);
    const stopped = platform.stopGateway();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    await stopped;
    await expect(invoke()).rejects.toThrow();
  });

  it("a stop under load cuts no connection that a request is on: callers are answered, or cannot connect", async () => {
    await start({}, 2);
    const codes = new Set<unknown>();
    const caller = async () => {
      for (;;) {
        try {
          const answer = await invoke();
          await answer.arrayBuffer();
          codes.add(answer.status);
        } catch (error) {
          codes.add(((error as Error).cause as NodeJS.ErrnoException).code);
          return;
        }
      }
    };
    const callers = Array.from({ length: 16 }, caller);
    await setTimeout(300);
    await platform.stopGateway();
    await Promise.all(callers);
    expect([...codes].sort()).toEqual([200, "ECONNREFUSED"]);
  });

  it("I11: callers that leave before their answer hold nothing, and a stop does not wait for them", async () => {
    await start({ FNBUS_MAX_IN_FLIGHT: "5" }, 200);
    const leaving = Array.from({ length: 5 }, () =>
      platform.fetch("/spaces/default/functions/slow/invoke", {
        method: "POST",
        body: "x",
        signal: AbortSignal.timeout(50),
      }),
    );
    await Promise.allSettled(leaving);
    await until("their places are free", async () => (await invoke()).status === 200);
    const begun = performance.now();
    await platform.stopGateway();
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});
