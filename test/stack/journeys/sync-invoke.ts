import { expect } from "vitest";
import { deploy } from "../functions.ts";
import type { Journey } from "./journey.ts";

export const syncInvoke: Journey = {
  name: "sync-invoke",
  shows: "I9: status, headers and body are the function's; what the platform refuses is told apart",
  async travel(stack) {
    await deploy(stack, "echo");
    const answer = await stack.api.call("POST", "/spaces/default/functions/echo/invoke/stock/today?company=x", {
      body: '{"a":1}',
      headers: { "content-type": "application/json", "x-call-id": "mine-1" },
    });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers["x-own"]).toBe("yes");
    expect(answer.headers["x-call-id"]).toBe("mine-1");
    expect(answer.json()).toMatchObject({ method: "POST", path: "/stock/today", body: '{"a":1}' });

    const unknown = await stack.api.call("POST", "/spaces/default/functions/nobody/invoke");
    expect(unknown.status).toBe(404);
    const deep = await stack.api.call("GET", "/spaces/default/functions/echo/invoke/a/b/c/d");
    expect(deep.status).toBe(404);
    const stranger = await stack.api.call("GET", "/spaces/default/functions/echo/invoke", {
      headers: { authorization: "Bearer fnb_nobody_nothing" },
    });
    expect(stranger.status).toBe(401);

    for (const executor of stack.members("executor")) await executor.stopGracefully();
    const nobody = await stack.api.call("POST", "/spaces/default/functions/echo/invoke");
    expect(nobody.status, nobody.text).toBe(503);
    expect(nobody.headers["x-fnbus-error-side"]).toBe("platform");
  },
};
