import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { accept, offerLoad } from "../calls.ts";
import { ended, expectConserved } from "../conservation.ts";
import { deploy } from "../functions.ts";
import { eventually } from "../wait.ts";
import type { Journey } from "./journey.ts";

export const redisFlushed: Journey = {
  name: "redis-flushed",
  shows: "I5: FLUSHALL loses no callback",
  async travel(stack) {
    await deploy(stack, "work");
    stack.target.behave(503);
    const load = offerLoad(stack, { callers: 4 });
    await eventually("200 are accepted", () => load.accepted.length >= 200, 60_000);
    await stack.redis.flush();
    await sleep(500);
    await load.stop();
    stack.target.behave("take");
    await expectConserved(stack, load.accepted, 90_000);
  },
};

export const redisKilled: Journey = {
  name: "redis-killed-under-load",
  shows: "I5: callbacks wait in the log while Redis is away",
  async travel(stack) {
    await deploy(stack, "work");
    const load = offerLoad(stack, { callers: 4 });
    await eventually("100 are accepted", () => load.accepted.length >= 100, 60_000);
    await stack.redis.kill();
    await eventually("100 more are accepted without Redis", () => load.accepted.length >= 200, 60_000);
    await stack.redis.restart();
    await load.stop();
    await expectConserved(stack, load.accepted, 90_000);
  },
};

export const callbackTargetDown: Journey = {
  name: "callback-target-down",
  shows: "I4: a callback is tried again until its receiver is back, and every attempt is seen in the look-up",
  async travel(stack) {
    await deploy(stack, "work");
    await stack.target.close();
    const accepted = await Promise.all(
      Array.from({ length: 10 }, () => accept(stack, { callback: stack.target.url("/hook"), report: false })),
    );
    for (const { id } of accepted)
      await eventually(
        `${id} was tried`,
        async () => ((await ended(stack, id)).callback?.attempts.length ?? 0) > 0,
        30_000,
      );
    await stack.target.open();
    for (const { id } of accepted) {
      await eventually(`callback of ${id}`, () => stack.target.delivered.get(id), 30_000);
      const view = await eventually("its delivery is seen", async () => {
        const found = await ended(stack, id);
        return found.callback?.state === "delivered" && found;
      });
      expect(view.callback!.attempts.length).toBeGreaterThan(1);
      expect(view.callback!.attempts[0]!.statusCode).toBeUndefined();
      expect(view.callback!.attempts.at(-1)!.statusCode).toBe(204);
    }
  },
};

export const callbackTargetHangs: Journey = {
  name: "callback-target-hangs",
  shows: "I4, I11: a receiver that never answers delays nobody else's callback",
  needs: { settings: { "callback-dispatcher": { FNBUS_CALLBACK_TIMEOUT_MS: "3000", FNBUS_CALLBACK_PER_HOST: "64" } } },
  async travel(stack) {
    await deploy(stack, "work");
    const hanging = await Promise.all(
      Array.from({ length: 20 }, () => accept(stack, { callback: stack.target.hangingUrl("/") })),
    );
    await eventually("they hang", () => hanging.some(({ id }) => stack.target.arrived.has(id)));
    const from = Date.now();
    const others = await Promise.all(
      Array.from({ length: 20 }, () => accept(stack, { callback: stack.target.url("/hook") })),
    );
    await expectConserved(stack, others);
    expect(Date.now() - from, "ms until the others were delivered").toBeLessThan(5000);
  },
};
