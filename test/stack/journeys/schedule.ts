import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { createTrigger, deployReporter, expectAllReported } from "../events.ts";
import { ready } from "../ready.ts";
import type { Journey } from "./journey.ts";

const SECOND_MS = 1000;
/** From the trigger's creation on, at least. */
const WATCHED_MS = 12 * SECOND_MS;

export const scheduleTicksOnce: Journey = {
  name: "schedule-ticks-once",
  shows: "I7: each second's tick once over two schedulers, one of them killed, the broker restarted, and none missing",
  needs: { replicas: { scheduler: 2 } },
  async travel(stack) {
    await deployReporter(stack, "ticks");
    const schedule = { schedule: "@every 1s", catchUp: "all" };
    await createTrigger(stack, { name: "each-second", type: "timer", function: { name: "ticks" }, config: schedule });
    const from = Date.now();
    const [one, other] = stack.members("scheduler");
    await sleep(3 * SECOND_MS);
    await one!.kill();
    await sleep(2 * SECOND_MS);
    await one!.restart();
    await stack.broker.kill();
    await stack.broker.restart();
    await ready(stack, 60_000);
    // Both at once: what no replica ticked is caught up with.
    await Promise.all([one!.kill(), other!.kill()]);
    await sleep(2 * SECOND_MS);
    await Promise.all([one!.restart(), other!.restart()]);
    await ready(stack, 60_000);
    await sleep(Math.max(2 * SECOND_MS, from + WATCHED_MS - Date.now()));
    const to = Date.now() - SECOND_MS;
    const first = Math.ceil(from / SECOND_MS) * SECOND_MS;
    const ticks = Array.from({ length: Math.floor((to - first) / SECOND_MS) }, (_, at) => first + at * SECOND_MS);
    expect(ticks.length).toBeGreaterThan(8);
    await expectAllReported(
      stack,
      ticks.map((tick) => `tick-${tick}`),
      { exactlyOnce: true },
    );
    const offGrid = [...stack.target.runs.keys()].filter(
      (token) => Number(token.slice("tick-".length)) % SECOND_MS !== 0,
    );
    expect(offGrid).toEqual([]);
  },
};
