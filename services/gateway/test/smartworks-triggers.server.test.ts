import { toUlid } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Json } from "./caller.ts";
import { type Platform, startPlatform } from "./platform.ts";
import { type ScriptedSource, startSource } from "./sources.ts";

describe("triggers in the dialect of SmartWorks", () => {
  let platform: Platform;
  let bridge: ScriptedSource;
  const path = "/spaces/default/triggers";
  const send = async (method: string, rest: string, body?: unknown) => {
    const answer = await platform.fetch(`${path}${rest}`, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, json: (text === "" ? {} : JSON.parse(text)) as Json };
  };
  const config = { host: "mqtt.swx.altairone.com:1883", topics: "a/b,c/#", username: "u", password: "geheim", qos: 1 };
  const shown = { host: "mqtt.swx.altairone.com", port: 1883, topics: "a/b,c/#", username: "u", qos: 1 };

  beforeAll(async () => {
    platform = await startPlatform();
    bridge = startSource(platform.bus, "mqtt-bridge", "bridge");
  });
  afterAll(async () => {
    bridge.stop();
    await platform.stop();
  });

  it("speaks SmartWorks' triggers API to the letter (7.2, 7.4)", async () => {
    const made = await send("POST", "", {
      description: "sensors",
      type: "mqtt",
      config,
      callback_url: "http://127.0.0.1:9999/cb",
    });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      ...{ description: "sensors", type: "mqtt", config: shown, status: "Pending", error_message: "" },
      callback_url: "http://127.0.0.1:9999/cb",
    });
    const { id } = made.json as unknown as { id: string };
    expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(made.json.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    await until("it runs", async () => (await send("GET", `/${id}`)).json.status === "Running");
    const list = await send("GET", "");
    expect(list.json).toMatchObject({
      data: [{ id, status: "Running" }],
      paging: { next_cursor: "", previous_cursor: "" },
    });
    const error = { code: "source_unauthorized", message: "Not Authorized", at: 1 } as const;
    bridge.report = () => ({ state: "Failed", error });
    expect((await send("GET", `/${id}`)).json).toMatchObject({ status: "Failed", error_message: "Not Authorized" });
    bridge.report = () => ({});
    expect((await send("DELETE", `/${id}`)).status).toBe(204);
    const gone = await send("GET", `/${id}`);
    expect([gone.status, gone.json]).toEqual([404, { error: { status: 404, message: "trigger not found" } }]);
  });

  it("never shows a password; a PUT without one keeps it and all that is not sent", async () => {
    const { json, text } = await send("POST", "", { type: "mqtt", config });
    const id = json.id as string;
    expect(text).not.toContain("geheim");
    const changed = await send("PUT", `/${id}`, { description: "new", config: { ...shown, topics: "x" } });
    expect(changed.json).toMatchObject({ description: "new", config: { ...shown, topics: "x" } });
    expect(changed.text).not.toContain("geheim");
    const bucket = await platform.bus.keyValue("TRIGGERS");
    const stored = await bucket.get(`trigger.default.${json.name as string}`);
    expect(JSON.parse(Buffer.from(stored!.value).toString())).toMatchObject({
      config: { password: "geheim", topics: "x" },
    });
    const moved = await send("PUT", `/${id}`, { config: { host: "thief" } });
    expect([moved.status, moved.json.error]).toMatchObject([422, { details: { fields: ["config.password"] } }]);
    const told = await send("PUT", `/${id}`, { config: { host: "other:1999", password: "p" } });
    expect(told.json).toMatchObject({ config: { host: "other", port: 1999, topics: "x" } });
    expect((await send("PUT", `/${id}`, { type: "cron" })).status).toBe(422);
  });

  it("has one cron trigger a space, without a config", async () => {
    expect((await send("POST", "", { description: "ticks", type: "cron" })).json).toMatchObject({
      type: "cron",
      config: {},
    });
    const second = await send("POST", "", { type: "cron" });
    expect([second.status, second.json.error]).toMatchObject([409, { status: 409 }]);
    expect((await send("GET", "?type=cron")).json.data).toHaveLength(1);
    expect((await send("GET", "?type=rabbitmq")).json.data).toEqual([]);
  });

  it("takes numbers as texts, empty fields of a form, and fields of its own clients", async () => {
    const sent = { host: "q", port: "5673", username: "", queue: "q", exchange: "e", topics: "a.*", vendor: "x" };
    const made = await send("POST", "", { type: "rabbitmq", config: sent, callback_url: "", tenant: "y" });
    expect([made.status, made.json.config]).toEqual([
      201,
      { host: "q", port: 5673, queue: "q", exchange: "e", topics: "a.*" },
    ]);
  });

  it("shows a trigger by its ULID, our id and its name; others' types and spaces are not there; a paused one is Pending", async () => {
    await platform.deploy("report");
    const post = (body: object) =>
      platform.fetch(`/v1${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const made = (await (
      await post({ name: "mine", type: "mqtt", enabled: false, config: { host: "b", topics: "t" } })
    ).json()) as Json;
    const id = made.id as string;
    for (const text of [toUlid(id), toUlid(id).toLowerCase(), id, "mine"])
      expect((await send("GET", `/${text}`)).json).toMatchObject({
        id: toUlid(id),
        status: "Pending",
        error_message: "",
      });
    const timer = { name: "ours", type: "timer", function: { name: "report" }, config: { schedule: "@daily" } };
    expect((await post(timer)).status).toBe(201);
    expect((await send("GET", "/ours")).status).toBe(404);
    expect((await send("DELETE", "/ours")).status).toBe(404);
    expect((await send("GET", "")).json.data!.map(({ name }) => name)).not.toContain("ours");
    await platform.registry.createSpace({ name: "beside", createdAt: 1 });
    await until(
      "the gateway knows the space",
      async () => (await platform.fetch("/spaces/beside/triggers")).status === 200,
    );
    expect((await platform.fetch(`/spaces/beside/triggers/${toUlid(id)}`)).status).toBe(404);
  });

  it("refuses in SmartWorks' words", async () => {
    const refused = await send("POST", "", { type: "mqtt", config: { host: "b", topics: "a/#/b" } });
    expect([refused.status, refused.json]).toMatchObject([422, { error: { status: 422, details: { position: 3 } } }]);
    const unknown = await send("POST", "", { type: "kafka", config: {} });
    expect([unknown.status, unknown.json.error]).toMatchObject([422, { details: { field: "type" } }]);
    const nobody = await platform.fetch(path, { key: null });
    expect([nobody.status, await nobody.json()]).toEqual([401, { error: { status: 401, message: "Unauthenticated" } }]);
    const stranger = await platform.fetch(path, { key: await platform.key(["trigger.read"], ["other"]) });
    expect([stranger.status, await stranger.json()]).toEqual([
      403,
      { error: { status: 403, message: "Unauthorized" } },
    ]);
  });
});
