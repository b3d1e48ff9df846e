import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Platform, type Run, result, startExecutor, startPlatform } from "./platform.ts";

describe("a synchronous call", () => {
  let platform: Platform;
  let executor: { stop(): void };
  let run: (call: Run) => Answer | Promise<Answer>;
  let seen: Run[];

  beforeAll(async () => {
    platform = await startPlatform();
    await platform.deploy("hello");
    seen = [];
    executor = startExecutor(platform.bus, (call) => {
      seen.push(call);
      return run(call);
    });
  });
  afterAll(async () => {
    executor.stop();
    await platform.stop();
  });
  const invoke = (rest = "", options: Parameters<Platform["fetch"]>[1] = {}) =>
    platform.fetch(`/spaces/default/functions/hello/invoke${rest}`, { method: "POST", ...options });

  it("gives the function's status, headers and body", async () => {
    run = () => ({
      reply: {
        ok: true,
        result: result({
          statusCode: 418,
          headers: [
            ["x-tea", "pot"],
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
          ],
        }),
      },
      body: Buffer.from("short and stout"),
    });
    const answer = await invoke("/stock/today?company=x", {
      body: "{}",
      headers: { "x-mine": "1", "x-call-id": "abc" },
    });
    expect(answer.status).toBe(418);
    expect(await answer.text()).toBe("short and stout");
    expect(answer.headers.get("x-tea")).toBe("pot");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(answer.headers.get("x-call-id")).toBe("abc");
    expect(answer.headers.get("x-duration-seconds")).toBe("0.001500");
    const { meta, body } = seen.at(-1)!;
    expect(meta).toMatchObject({
      method: "POST",
      path: "/stock/today",
      query: "company=x",
      callId: "abc",
      kind: "http",
    });
    expect(meta.headers).toContainEqual(["x-mine", "1"]);
    expect(meta.headers.map(([name]) => name)).not.toContain("authorization");
    expect(body.toString()).toBe("{}");
  });
});
