import { expect } from "vitest";
import { offerLoad } from "../calls.ts";
import { expectConserved } from "../conservation.ts";
import { deploy } from "../functions.ts";
import { ready } from "../ready.ts";
import { coreNames, type Stack } from "../stack.ts";
import { eventually } from "../wait.ts";
import type { Journey } from "./journey.ts";

/** Callers of the synchronous path. A refused connection was no request: the next replica is asked, as a load balancer does. */
function offerCalls(stack: Stack, callers: number) {
  const answers = new Map<string, number>();
  const leftOut = new Set<number>();
  let stopped = false;
  const call = async (gateway: number): Promise<string> => {
    try {
      const answer = await stack.api.call("POST", "/spaces/default/functions/echo/invoke", { body: "{}", gateway });
      return answer.status === 201 ? "201" : `${answer.status} ${answer.text}`;
    } catch (error) {
      const { code } = error as { code?: string };
      return code === "ECONNREFUSED" ? call((gateway + 1) % stack.api.urls.length) : `broken connection: ${code}`;
    }
  };
  const running = Array.from({ length: callers }, async (_, index) => {
    while (!stopped) {
      const gateways = stack.api.urls.map((_, gateway) => gateway).filter((gateway) => !leftOut.has(gateway));
      const found = await call(gateways[index % gateways.length]!);
      answers.set(found, (answers.get(found) ?? 0) + 1);
    }
  });
  return {
    answers,
    /** Gateways that are asked nothing new, as a load balancer does with those that are not ready. */
    leftOut,
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
  };
}

export const gracefulStop: Journey = {
  name: "graceful-stop-under-load",
  shows: "I3, I5: stopping any service loses no request and no attempt",
  needs: { replicas: { gateway: 2, executor: 2, ledger: 2, "callback-dispatcher": 2 } },
  async travel(stack) {
    await deploy(stack, "echo");
    await deploy(stack, "work");
    const calls = offerCalls(stack, 4);
    const load = offerLoad(stack, { callers: 4, pauseMs: 20 });
    try {
      for (const name of coreNames) {
        const from = load.accepted.length;
        await eventually("load moves", () => load.accepted.length > from + 20, 60_000);
        const member = stack.members(name)[0]!;
        // An engine's port proxy takes connections for a container that is gone, and cuts them: that is no request lost.
        if (name === "gateway" && stack.kind === "containers") calls.leftOut.add(0);
        expect(await member.stopGracefully(), `exit code of ${name}: ${(await member.log()).slice(-2000)}`).toBe(0);
        await member.restart();
        await ready(stack, 60_000);
        calls.leftOut.clear();
      }
    } finally {
      await Promise.all([calls.stop(), load.stop()]);
    }
    expect([...calls.answers].filter(([answer]) => answer !== "201")).toEqual([]);
    const views = await expectConserved(stack, load.accepted, 90_000);
    expect(views.filter(({ lost }) => lost > 0)).toEqual([]);
  },
};
