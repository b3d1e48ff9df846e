import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Json } from "./caller.ts";
import { type Platform, startPlatform } from "./platform.ts";

describe("the dialect of SmartWorks", () => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(() => platform.stop());

  it("speaks SmartWorks' functions API to the letter", async () => {
    const path = "/spaces/default/functions";
    const send = (method: string, rest: string, body?: unknown) =>
      platform.fetch(`${path}${rest}`, {
        method,
        ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
    const code = Buffer.from("def handle(req):\n  return 1\n").toString("base64");
    const made = await send("POST", "", {
      name: "sw",
      template: "python3-http",
      env: { A: "1" },
      options: { topics: "a/b" },
      source: { code },
    });
    expect(made.status).toBe(201);
    const shown = (await made.json()) as Json;
    expect(shown).toMatchObject({
      space: "default",
      name: "sw",
      template: "python3-http",
      env: { A: "1" },
      status: "Running",
      options: { topics: "a/b" },
    });
    expect(shown.id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(shown.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    expect(shown.metrics).toEqual({ invocations: 0, replicas: 0, available_replicas: 0 });
    expect(await (await send("GET", "/sw/code")).json()).toEqual({ code });
    const again = await send("POST", "", { name: "sw", source: { code } });
    expect([again.status, await again.json()]).toEqual([
      409,
      { error: { status: 409, message: "This function already exists" } },
    ]);
    expect(((await (await send("PUT", "/sw", { description: "new" })).json()) as Json).description).toBe("new");
    const list = (await (await send("GET", "?limit=1")).json()) as { data: unknown[]; paging: { next_cursor: string } };
    expect(list.data).toHaveLength(1);
    expect(
      ((await (await send("GET", `?limit=1&cursor=${list.paging.next_cursor}`)).json()) as Json).data,
    ).toHaveLength(1);
    expect((await send("POST", "", { name: "go", template: "go", source: { code } })).status).toBe(422);
    expect((await send("DELETE", "/sw")).status).toBe(204);
    const gone = await send("GET", "/sw");
    expect([gone.status, await gone.json()]).toEqual([404, { error: { status: 404, message: "function not found" } }]);
    const nobody = await platform.fetch(path, { key: null });
    expect([nobody.status, await nobody.json()]).toEqual([401, { error: { status: 401, message: "Unauthenticated" } }]);
    const stranger = await platform.fetch(path, { key: await platform.key(["function.read"], ["other"]) });
    expect([stranger.status, await stranger.json()]).toEqual([
      403,
      { error: { status: 403, message: "Unauthorized" } },
    ]);
  });
});
