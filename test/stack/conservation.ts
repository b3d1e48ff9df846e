import { type EndState, endStates, type InvocationView } from "@fnbus/contract";
import { expect } from "vitest";
import type { Accepted } from "./calls.ts";
import type { Stack } from "./stack.ts";
import { eventually, forAll } from "./wait.ts";

const isEnd = (state: string): state is EndState => endStates.includes(state as EndState);

export async function lookUp(stack: Stack, id: string, waitSeconds = 0): Promise<InvocationView> {
  const wait = waitSeconds > 0 ? `?wait=${waitSeconds}` : "";
  const answer = await stack.api.call("GET", `/v1/spaces/default/invocations/${id}${wait}`);
  if (answer.status !== 200) throw new Error(`look-up of ${id}: ${answer.status} ${answer.text}`);
  return answer.json<InvocationView>();
}

export const ended = (stack: Stack, id: string, timeoutMs = 60_000): Promise<InvocationView> =>
  eventually(
    `${id} ends`,
    async () => {
      const view = await lookUp(stack, id, 5);
      return isEnd(view.state) && view;
    },
    timeoutMs,
  );

/**
 * I8 from outside: the client's list of accepted ids against the look-up, the callback target and the runs that functions
 * reported. Every accepted invocation has one end (I3), every callback came, byte-identical each time (I4), no unfailed
 * invocation ran more often than once and once more for each lost executor, and the ledger's own sum has no difference.
 */
export async function expectConserved(
  stack: Stack,
  accepted: Accepted[],
  timeoutMs = 60_000,
): Promise<InvocationView[]> {
  expect(new Set(accepted.filter(({ id }) => id === "")).size, "accepted without an id").toBe(0);
  const unique = [...new Map(accepted.map((one) => [one.id, one])).values()];
  const views = await forAll(unique, 16, ({ id }) => ended(stack, id, timeoutMs));
  const unexpected = views.filter(({ state }) => state !== "succeeded");
  expect(unexpected.map(({ id, state, errorCode }) => ({ id, state, errorCode }))).toEqual([]);

  for (const [index, { id, token, callback }] of unique.entries()) {
    const runs = stack.target.runs.get(token) ?? 0;
    const allowed = 1 + views[index]!.lost + views[index]!.history.filter(({ how }) => how === "failed").length;
    expect(runs, `runs of ${id}`).toBeGreaterThan(0);
    expect(runs, `runs of ${id}, ${views[index]!.lost} lost`).toBeLessThanOrEqual(allowed);
    if (!callback) continue;
    const deliveries = await eventually(`callback of ${id}`, () => stack.target.delivered.get(id), timeoutMs);
    expect(new Set(deliveries.map(({ body }) => body)).size, `bodies of the callbacks of ${id}`).toBe(1);
    expect(JSON.parse(deliveries[0]!.body).token).toBe(token);
  }
  await eventually(
    "the ledger's sum has no difference",
    () => difference(stack).then((found) => found === 0),
    timeoutMs,
  );
  return views;
}

/** accepted − unfinished − ended, as the owners of the partitions show it on /metrics. */
export async function difference(stack: Stack): Promise<number | undefined> {
  for (const { opsUrl } of stack.members("ledger")) {
    const text = await fetch(`${opsUrl}/metrics`).then(
      (answer) => answer.text(),
      () => "", // One that was killed.
    );
    const sum = (name: string) =>
      text
        .split("\n")
        .filter((line) => line.startsWith(name))
        .reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
    if (text.includes("\nfnbus_ledger_conservation")) return sum("fnbus_ledger_conservation");
  }
  return undefined;
}
