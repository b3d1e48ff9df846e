import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { accept } from "../calls.ts";
import { expectConserved, lookUp } from "../conservation.ts";
import { deploy } from "../functions.ts";
import type { Member, Stack } from "../stack.ts";
import { eventually } from "../wait.ts";
import type { Journey } from "./journey.ts";

/** Longer than an executor's lease (5 s, L17). */
const FROZEN_MS = 8000;
/** Ends while the executor is frozen. */
const RUN_MS = 4000;

export const executorFrozen: Journey = {
  name: "executor-frozen-longer-than-a-lease",
  shows: "I3: the thawed executor's late result changes nothing: the first outcome in log order stands",
  needs: { replicas: { executor: 2 } },
  async travel(stack) {
    await deploy(stack, "work");
    // Work goes where the function is warm: the runs of a round may all be on the executor that is not frozen.
    let lost = 0;
    for (const executor of stack.members("executor")) lost += await freezeMidRun(stack, executor);
    expect(lost, "runs that were on an executor that was frozen").toBeGreaterThan(0);
  },
};

/** Freezes the executor while eight run, and gives how many of them were started again elsewhere. */
async function freezeMidRun(stack: Stack, executor: Member): Promise<number> {
  const accepted = await Promise.all(
    Array.from({ length: 8 }, () => accept(stack, { sleepMs: RUN_MS, callback: stack.target.url("/hook") })),
  );
  await eventually("all run", () => accepted.every(({ token }) => stack.target.runs.has(token)));
  await executor.freeze();
  await sleep(FROZEN_MS);
  await executor.thaw();
  const views = await expectConserved(stack, accepted);
  const bodies = accepted.map(({ id }) => stack.target.delivered.get(id)![0]!.body);
  await sleep(3000);
  const after = await Promise.all(accepted.map(({ id }) => lookUp(stack, id)));
  expect(after.map(({ state, attempts, lost }) => ({ state, attempts, lost }))).toEqual(
    views.map(({ state, attempts, lost }) => ({ state, attempts, lost })),
  );
  expect(accepted.map(({ id }) => stack.target.delivered.get(id)!.at(-1)!.body)).toEqual(bodies);
  return views.filter((view) => view.lost > 0).length;
}
