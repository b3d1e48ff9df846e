import { expect } from "vitest";
import { accept } from "../calls.ts";
import { expectConserved, lookUp } from "../conservation.ts";
import { deploy } from "../functions.ts";
import type { Member, Stack } from "../stack.ts";
import { eventually } from "../wait.ts";
import type { Journey } from "./journey.ts";

export const executorKilledMidRun: Journey = {
  name: "executor-killed-mid-run",
  shows: "I3, I5: a run lost with its executor is started again elsewhere, once, whatever the retry policy says",
  needs: { replicas: { executor: 2 } },
  async travel(stack) {
    await deploy(stack, "work");
    // Work goes where the function is warm: the runs of a round may all be on the executor that is not killed.
    let lost = 0;
    for (const executor of stack.members("executor")) lost += await killMidRun(stack, executor);
    expect(lost, "runs that were on an executor that was killed").toBeGreaterThan(0);
  },
};

/** Kills the executor while eight run, and gives how many of them it took with it. */
async function killMidRun(stack: Stack, executor: Member): Promise<number> {
  const accepted = await Promise.all(
    Array.from({ length: 8 }, () => accept(stack, { sleepMs: 3000, callback: stack.target.url("/hook") })),
  );
  await eventually("all run", async () => {
    const views = await Promise.all(accepted.map(({ id }) => lookUp(stack, id)));
    return (
      views.every(({ state }) => state === "running") && accepted.every(({ token }) => stack.target.runs.has(token))
    );
  });
  await executor.kill();
  const views = await expectConserved(stack, accepted);
  await executor.restart();
  const lost = views.filter((view) => view.lost > 0);
  for (const view of lost) expect(view.history[0]).toMatchObject({ how: "lost", errorCode: "executor_lost" });
  return lost.length;
}
