import { expect } from "vitest";
import { type Accepted, callAsync, idOf } from "../calls.ts";
import { expectConserved } from "../conservation.ts";
import { deploy } from "../functions.ts";
import { eventually } from "../wait.ts";
import type { Journey } from "./journey.ts";

/** A body that still travels inside the envelope. */
const BODY_BYTES = 200_000;
const STREAM_BYTES = 8 * 1024 * 1024;

export const streamFull: Journey = {
  name: "stream-full",
  shows: "I1, I11: a full log refuses with 503 and Retry-After, evicts nothing, and takes again when there is room",
  needs: { invocationsBytes: STREAM_BYTES },
  async travel(stack) {
    await deploy(stack, "work");
    for (const executor of stack.members("executor")) await executor.stopGracefully();
    const accepted: Accepted[] = [];
    let refused: Awaited<ReturnType<typeof callAsync>> | undefined;
    for (let count = 0; count < 200 && !refused; count++) {
      const token = `${count}-${"x".repeat(BODY_BYTES)}`;
      const answer = await stack.api.call("POST", "/spaces/default/functions/work/async-invoke", {
        body: JSON.stringify({ token: String(count), report: stack.target.url("/ran/"), filler: token }),
      });
      if (answer.status === 202)
        accepted.push({ id: idOf(answer), token: String(count), callback: false, keyed: false });
      else refused = answer;
    }
    expect(refused?.status, refused?.text).toBe(503);
    expect(Number(refused!.headers["retry-after"])).toBeGreaterThan(0);
    expect(accepted.length, `accepted before it was full (${refused?.text})`).toBeGreaterThan(5);
    for (const executor of stack.members("executor")) await executor.restart();
    await expectConserved(stack, accepted, 90_000);
    await eventually("it takes calls again", async () => (await callAsync(stack, {})).status === 202);
  },
};
