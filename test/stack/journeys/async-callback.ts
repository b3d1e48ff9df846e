import { expect } from "vitest";
import { accept } from "../calls.ts";
import { expectConserved } from "../conservation.ts";
import { deploy } from "../functions.ts";
import type { Journey } from "./journey.ts";

export const asyncCallback: Journey = {
  name: "async-callback",
  shows: "I1, I3, I4: accepted, run once, delivered once with the function's answer and a signature, and looked up",
  async travel(stack) {
    await deploy(stack, "work");
    const accepted = await accept(stack, { callback: stack.target.url("/hook") });
    const [view] = await expectConserved(stack, [accepted]);
    const [delivery] = stack.target.delivered.get(accepted.id)!;
    expect(delivery!.headers).toMatchObject({
      "x-function-status": "200",
      "x-function-name": "work",
      "content-type": "application/json",
      "webhook-id": accepted.id,
    });
    expect(delivery!.headers["webhook-signature"]).toMatch(/^v1,/);
    expect(view).toMatchObject({ state: "succeeded", attempts: 1, lost: 0 });
    const result = await stack.api.call("GET", `/v1/spaces/default/invocations/${accepted.id}/result`);
    expect(result.text).toBe(delivery!.body);
  },
};
