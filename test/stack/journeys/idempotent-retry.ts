import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { accept, callAsync, idOf } from "../calls.ts";
import { ended, expectConserved } from "../conservation.ts";
import { deploy } from "../functions.ts";
import { eventually } from "../wait.ts";
import type { Journey } from "./journey.ts";

export const idempotentRetry: Journey = {
  name: "idempotent-retry",
  shows: "I2: one key is one invocation, at once and after its end; another body is refused",
  needs: { replicas: { gateway: 2 } },
  async travel(stack) {
    await deploy(stack, "work");
    for (const gateway of [0, 1])
      await eventually("the gateway has heard the ledger", async () => {
        const answer = await callAsync(stack, { key: randomUUID(), gateway });
        return answer.status === 202;
      });
    const key = randomUUID();
    const token = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        callAsync(stack, { key, token, callback: stack.target.url("/hook"), gateway: index % 2 }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 202).map(({ text }) => text)).toEqual([]);
    expect(new Set(answers.map(idOf)).size).toBe(1);
    const id = idOf(answers[0]!);
    await ended(stack, id);
    const again = await callAsync(stack, { key, token, callback: stack.target.url("/hook") });
    expect(again.status).toBe(202);
    expect(idOf(again)).toBe(id);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    const other = await callAsync(stack, { key, token: randomUUID(), callback: stack.target.url("/hook") });
    expect(other.status).toBe(422);
    expect(stack.target.runs.get(token)).toBe(1);
    await expectConserved(stack, [
      { id, token, callback: true, keyed: true },
      await accept(stack, { callback: stack.target.url("/hook") }),
    ]);
  },
};
