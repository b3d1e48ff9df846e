import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { accept } from "../calls.ts";
import { expectConserved, lookUp } from "../conservation.ts";
import { deploy } from "../functions.ts";
import { eventually } from "../wait.ts";
import type { Journey } from "./journey.ts";

/** Longer than an executor's lease (5 s, L17). */
const FROZEN_MS = 8000;

export const executorFrozen: Journey = {
  name: "executor-frozen-longer-than-a-lease",
  shows: "I3: the thawed executor's late result changes nothing: the first outcome in log order stands",
  needs: { replicas: { executor: 2 } },
  async travel(stack) {
    await deploy(stack, "work");
    const accepted = await Promise.all(
      Array.from({ length: 8 }, () => accept(stack, { sleepMs: 2500, callback: stack.target.url("/hook") })),
    );
    await eventually("all run", () => accepted.every(({ token }) => stack.target.runs.has(token)));
    const [frozen] = stack.members("executor");
    await frozen!.freeze();
    await sleep(FROZEN_MS);
    await frozen!.thaw();
    const views = await expectConserved(stack, accepted);
    expect(views.filter(({ lost }) => lost > 0).length, "some ran on the frozen one").toBeGreaterThan(0);
    const bodies = accepted.map(({ id }) => stack.target.delivered.get(id)![0]!.body);
    await sleep(3000);
    const after = await Promise.all(accepted.map(({ id }) => lookUp(stack, id)));
    expect(after.map(({ state, attempts, lost }) => ({ state, attempts, lost }))).toEqual(
      views.map(({ state, attempts, lost }) => ({ state, attempts, lost })),
    );
    expect(accepted.map(({ id }) => stack.target.delivered.get(id)!.at(-1)!.body)).toEqual(bodies);
  },
};
