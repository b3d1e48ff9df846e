import { buckets, createId, type Trigger, triggerTypes } from "@fnbus/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, createCaller } from "./caller.ts";
import { type Platform, startPlatform } from "./platform.ts";

describe("triggers in the management API", () => {
  let platform: Platform;
  let call: Caller;
  const triggers = "/spaces/default/triggers";
  const timer = (name: string, more: object = {}) => ({
    ...{ name, type: "timer", function: { name: "report" }, config: { schedule: "*/5 * * * *" } },
    ...more,
  });
  const mqtt = (name: string, config: object = {}) => ({
    ...{ name, type: "mqtt", config: { host: "broker", topics: "a/#", username: "u", password: "geheim", ...config } },
  });
  const stored = async (name: string): Promise<Trigger | undefined> => {
    const found = await (await platform.bus.keyValue(buckets.triggers)).get(`trigger.default.${name}`);
    return found && (JSON.parse(Buffer.from(found.value).toString()) as Trigger);
  };

  beforeAll(async () => {
    platform = await startPlatform();
    call = createCaller(platform);
    await platform.deploy("report");
  });
  afterAll(() => platform.stop());

  it("creates, shows, changes, lists and deletes a trigger, with its revision", async () => {
    const made = await call("POST", triggers, timer("nightly", { description: "at night" }));
    expect([made.status, made.headers.get("location")]).toEqual([201, "/v1/spaces/default/triggers/nightly"]);
    expect(made.json).toMatchObject({
      ...{ name: "nightly", type: "timer", enabled: true, description: "at night", secrets: [] },
      ...{ function: { name: "report", qualifier: "latest" }, config: { schedule: "*/5 * * * *" } },
    });
    const etag = made.headers.get("etag")!;
    const shown = await call("GET", `${triggers}/nightly`);
    expect(shown.headers.get("etag")).toBe(etag);
    expect(shown.json.status).toMatchObject({ state: "Pending", error: { code: "source_silent" }, replicas: [] });
    const patched = await call(
      "PATCH",
      `${triggers}/nightly`,
      { config: { timezone: "Europe/Berlin", overlap: "skip" }, callbackUrl: "http://127.0.0.1:9999/x" },
      { "if-match": etag },
    );
    expect(patched.json).toMatchObject({
      ...{ description: "at night", callbackUrl: "http://127.0.0.1:9999/x" },
      config: { schedule: "*/5 * * * *", timezone: "Europe/Berlin", overlap: "skip" },
    });
    expect((await call("PATCH", `${triggers}/nightly`, { description: "x" }, { "if-match": etag })).json.code).toBe(
      "revision_conflict",
    );
    const taken = await call("PATCH", `${triggers}/nightly`, { callbackUrl: null, config: { timezone: null } });
    expect(taken.json).toMatchObject({ config: { schedule: "*/5 * * * *", overlap: "skip" } });
    expect([taken.json.callbackUrl, (taken.json.config as object & { timezone?: string }).timezone]).toEqual([
      undefined,
      undefined,
    ]);
    const { config, ...rest } = timer("nightly");
    const put = await call("PUT", `${triggers}/nightly`, { ...rest, config });
    expect([put.json.description, put.json.config]).toEqual(["", { schedule: "*/5 * * * *" }]);
    expect((await call("GET", triggers)).json.data!.map(({ name }) => name)).toContain("nightly");
    expect((await call("DELETE", `${triggers}/nightly`)).status).toBe(204);
    expect((await call("GET", `${triggers}/nightly`)).json.code).toBe("trigger_not_found");
    expect((await call("DELETE", `${triggers}/nightly`)).json.code).toBe("trigger_not_found");
  });

  it("lists page by page, by type and by function", async () => {
    for (const name of ["page-a", "page-b", "page-c"]) await call("POST", triggers, timer(name));
    await call("POST", triggers, mqtt("page-d"));
    const first = await call("GET", `${triggers}?limit=2&type=timer`);
    expect(first.json.data!.map(({ name }) => name)).toEqual(["page-a", "page-b"]);
    const second = await call("GET", `${triggers}?limit=2&type=timer&cursor=${first.json.next}`);
    expect([second.json.data!.map(({ name }) => name), second.json.next]).toEqual([["page-c"], undefined]);
    expect((await call("GET", `${triggers}?function=nobody`)).json.data).toEqual([]);
    expect((await call("GET", `${triggers}?type=telepathy`)).json.code).toBe("invalid_request");
  });

  it("never shows a secret again, keeps one that is not told again, and names those that are set", async () => {
    const key = "-----BEGIN PRIVATE KEY-----\ntop secret\n-----END PRIVATE KEY-----\n";
    const certificate = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
    const made = await call("POST", triggers, mqtt("secretive", { tls: { certificate, key } }));
    expect(made.json.secrets).toEqual(["password", "tls.key"]);
    const config = { host: "broker", topics: "b/#", username: "u", tls: { certificate } };
    const answers = [
      made,
      await call("GET", `${triggers}/secretive`),
      await call("GET", triggers),
      await call("PATCH", `${triggers}/secretive`, { config: { topics: "c/#" } }),
      await call("PUT", `${triggers}/secretive`, { config }),
    ];
    for (const { text } of answers) expect(text).not.toMatch(/geheim|top secret/);
    expect((await stored("secretive"))?.config).toEqual({ ...config, password: "geheim", tls: { certificate, key } });
    await call("PATCH", `${triggers}/secretive`, { config: { password: null, tls: null } });
    expect((await stored("secretive"))?.config).toEqual({ host: "broker", topics: "b/#", username: "u" });
  });

  it("sends no secret to another address than the one it was told for", async () => {
    await call("POST", triggers, mqtt("stolen"));
    for (const [method, config] of [
      ["PATCH", { host: "thief" }],
      ["PATCH", { host: "broker:1999" }],
      ["PUT", { host: "thief", topics: "a/#" }],
    ] as const) {
      const refused = await call(method, `${triggers}/stolen`, { config });
      expect([refused.status, refused.json.code, refused.json.details]).toEqual([
        422,
        "trigger_secret_missing",
        { fields: ["config.password"] },
      ]);
    }
    const moved = await call("PATCH", `${triggers}/stolen`, { config: { host: "other", password: "new" } });
    expect([moved.status, (await stored("stolen"))?.config]).toEqual([
      200,
      expect.objectContaining({ password: "new" }),
    ]);
    expect((await call("PATCH", `${triggers}/stolen`, { config: { host: "third", password: null } })).status).toBe(200);
  });

  it("pauses and resumes, and moves no schedule's beginning by it", async () => {
    const made = await call("POST", triggers, timer("paused"));
    const paused = await call("POST", `${triggers}/paused/pause`, undefined, { "if-match": made.headers.get("etag")! });
    expect([paused.json.enabled, paused.json.updatedAt]).toEqual([false, made.json.updatedAt]);
    expect((await call("GET", `${triggers}/paused`)).json.status).toMatchObject({ state: "Paused" });
    const stale = { "if-match": made.headers.get("etag")! };
    expect((await call("POST", `${triggers}/paused/resume`, undefined, stale)).status).toBe(412);
    expect((await call("POST", `${triggers}/paused/resume`)).json).toMatchObject({ enabled: true });
    expect((await stored("paused"))?.incarnation).toBe(made.json.incarnation);
  });

  it("replays: a new incarnation of what can be replayed (L9, L10), from the place that is told", async () => {
    const kafka = { brokers: ["k:9092"], topics: ["t"], groupId: "g" };
    const made = await call("POST", triggers, { ...timer("queue"), type: "kafka", config: kafka });
    const again = await call("POST", `${triggers}/queue/replay`, { from: "earliest" });
    expect(again.json).toMatchObject({ id: made.json.id, config: { ...kafka, from: "earliest" } });
    expect(again.json.incarnation).not.toBe(made.json.incarnation);
    expect((await call("POST", `${triggers}/queue/replay`)).json.details).toEqual({ field: "from" });
    await call("POST", triggers, { ...timer("events"), type: "cloudevents", config: {} });
    expect((await call("POST", `${triggers}/events/replay`)).status).toBe(200);
    expect((await call("POST", `${triggers}/events/replay`, { from: "latest" })).json.details).toEqual({
      field: "from",
    });
    await call("POST", triggers, timer("no-replay"));
    expect((await call("POST", `${triggers}/no-replay/replay`)).json.code).toBe("trigger_not_replayable");
  });

  it("shows the next runs of a timer, and of every function with a schedule for the cron trigger", async () => {
    await platform.deploy("swept", { options: { schedule: "0 3 * * *" } });
    await call("POST", triggers, timer("soon", { config: { schedule: "0 * * * *", timezone: "Asia/Kolkata" } }));
    const { data } = (await call("GET", `${triggers}/soon/runs`)).json as unknown as {
      data: { function: string; timezone: string; runs: string[] }[];
    };
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({ function: "report", timezone: "Asia/Kolkata" });
    expect(data[0]!.runs).toHaveLength(5);
    for (const run of data[0]!.runs) expect(run).toMatch(/T\d\d:30:00\.000Z$/);
    await call("POST", triggers, { type: "cron", config: { timezone: "Europe/Berlin" } });
    const cron = await call("GET", `${triggers}/cron/runs?count=2`);
    expect(cron.json.data).toMatchObject([{ function: "swept", schedule: "0 3 * * *", timezone: "Europe/Berlin" }]);
    expect(cron.json.data![0]!.runs).toHaveLength(2);
    await call("POST", triggers, mqtt("no-runs"));
    expect((await call("GET", `${triggers}/no-runs/runs`)).json.data).toEqual([]);
    expect((await call("GET", `${triggers}/soon/runs?count=1000`)).status).toBe(422);
  });

  it.each<[string, object, string, number]>([
    ["no type", { name: "x", config: {} }, "invalid_request", 400],
    ["an unknown type", { name: "x", type: "telepathy", config: {} }, "invalid_request", 400],
    ["an unknown field", { ...timer("x"), colour: "red" }, "invalid_request", 400],
    ["a name that is none", timer("No Name"), "invalid_request", 400],
    ["the cron trigger's name", timer("cron"), "invalid_request", 400],
    ["another name for the cron trigger", { name: "daily", type: "cron", config: {} }, "invalid_request", 400],
    [
      "an unknown field of the config",
      timer("x", { config: { schedule: "@daily", x: 1 } }),
      "trigger_config_invalid",
      422,
    ],
    ["a schedule that cannot be read", timer("x", { config: { schedule: "61 * * * *" } }), "schedule_invalid", 422],
    ["an unknown zone", timer("x", { config: { schedule: "@daily", timezone: "Mars/X" } }), "timezone_unknown", 422],
    ["no function", { name: "x", type: "timer", config: { schedule: "@daily" } }, "trigger_function_missing", 422],
    ["an unknown function", timer("x", { function: { name: "nope" } }), "function_not_found", 404],
    [
      "a version of a function",
      timer("x", { function: { name: "report", qualifier: "v1" } }),
      "trigger_config_invalid",
      422,
    ],
    ["a filter that MQTT forbids", mqtt("x", { topics: "a/#/b" }), "topic_filter_invalid", 422],
    ["a broker with a scheme", mqtt("x", { host: "mqtt://b" }), "broker_address_invalid", 422],
    ["a callback that is no URL", timer("x", { callbackUrl: "ftp://x" }), "callback_url_invalid", 400],
    [
      "a callback at a forbidden address",
      timer("x", { callbackUrl: "http://169.254.169.254/" }),
      "callback_url_forbidden",
      400,
    ],
  ])("refuses %s with a code of its own, and stores nothing", async (_what, body, code, status) => {
    const answer = await call("POST", triggers, body);
    expect([answer.json.code, answer.status]).toEqual([code, status]);
    expect(await stored("x")).toBeUndefined();
  });

  it("refuses a second trigger of a name, a second cron trigger, an unknown space, another type and name", async () => {
    await call("POST", triggers, timer("twice"));
    expect((await call("POST", triggers, timer("twice"))).json.code).toBe("trigger_exists");
    await call("POST", triggers, { type: "cron", config: {} });
    expect((await call("POST", triggers, { type: "cron", config: {} })).json.code).toBe("cron_trigger_exists");
    expect((await call("POST", "/spaces/nowhere/triggers", timer("x"))).json.code).toBe("space_not_found");
    expect((await call("GET", "/spaces/nowhere/triggers")).json.code).toBe("space_not_found");
    expect((await call("PATCH", `${triggers}/twice`, { type: "mqtt" })).json.code).toBe("trigger_type_fixed");
    expect((await call("PATCH", `${triggers}/twice`, { name: "thrice" })).json.code).toBe("invalid_request");
  });

  it("a function's topics and schedule are checked before anything is stored", async () => {
    const source = { files: { "index.js": "exports.handler = () => 1;" } };
    for (const [options, code] of [
      [{ topics: "a/#/b" }, "topic_filter_invalid"],
      [{ schedule: "every day" }, "schedule_invalid"],
    ] as const) {
      const made = await call("POST", "/spaces/default/functions", { name: "optional", source, options });
      expect([made.status, made.json.code]).toEqual([422, code]);
      expect(platform.registry.functionByName("default", "optional")).toBeUndefined();
      expect((await call("PATCH", "/spaces/default/functions/report", { options })).json.code).toBe(code);
    }
    expect(platform.registry.functionByName("default", "report")!.definition.settings.options).toEqual({});
  });

  it("a space with triggers is not empty; a function that a trigger names may go", async () => {
    await call("POST", "/spaces", { name: "other" });
    const source = { files: { "index.js": "exports.handler = () => 1;" } };
    await call("POST", "/spaces/other/functions", { name: "report", source });
    await call("POST", "/spaces/other/triggers", timer("left"));
    expect((await call("DELETE", "/spaces/other/functions/report")).status).toBe(204);
    expect((await call("DELETE", "/spaces/other")).json.code).toBe("space_not_empty");
    expect((await call("PATCH", "/spaces/other/triggers/left", { description: "still" })).status).toBe(200);
    await call("DELETE", "/spaces/other/triggers/left");
    expect((await call("DELETE", "/spaces/other")).status).toBe(204);
  });

  it("asks for the scope of each action, and for function.invoke to test", async () => {
    await call("POST", triggers, timer("scoped"));
    const reader = await platform.key(["trigger.read"]);
    const updater = await platform.key(["trigger.update"]);
    const publisher = await platform.key(["trigger.publish"]);
    const statusOf = async (key: string, method: string, path: string, body?: object) =>
      (await call(method, `${triggers}${path}`, body, {}, key)).status;
    expect(await statusOf(reader, "GET", "/scoped")).toBe(200);
    expect(await statusOf(reader, "DELETE", "/scoped")).toBe(403);
    expect(await statusOf(reader, "POST", "", timer("y"))).toBe(403);
    expect(await statusOf(reader, "POST", "/scoped/pause")).toBe(403);
    expect(await statusOf(publisher, "GET", "/scoped")).toBe(403);
    expect(await statusOf(updater, "POST", "/scoped/test", { dryRun: true })).toBe(403);
    expect(await statusOf(updater, "POST", "/scoped/pause")).toBe(200);
  });

  it("any JSON as a config, of any type, is taken or refused with a code that is the caller's", async () => {
    await call("POST", triggers, mqtt("patient"));
    const field = fc.constantFrom("host", "port", "topics", "brokers", "schedule", "events", "tls", "sasl", "timezone");
    const config = fc.dictionary(
      field,
      fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom("a:1", "@daily", "a/#")),
    );
    const body = fc.record({ type: fc.constantFrom(...triggerTypes), name: fc.constant("any"), config });
    for (const depth of [100, 1_000, 2_000, 10_000])
      for (const method of ["PUT", "PATCH"]) {
        const deep = `{"config":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`;
        expect([400, 422]).toContain((await call(method, `${triggers}/patient`, deep)).status);
      }
    await fc.assert(
      fc.asyncProperty(body, async ({ type, name, config }) => {
        const more = type === "cron" ? {} : { name, function: { name: "report" } };
        const made = await call("POST", triggers, { type, config, ...more });
        expect([201, 400, 409, 422]).toContain(made.status);
        for (const method of ["PUT", "PATCH"])
          expect([200, 422]).toContain((await call(method, `${triggers}/patient`, { config })).status);
        await call("DELETE", `${triggers}/any`);
      }),
      { numRuns: 150 },
    );
  });

  it("an entry that cannot be read hides no other", async () => {
    const bucket = await platform.bus.keyValue(buckets.triggers);
    const warned = new Promise((resolve) => process.once("warning", resolve));
    await bucket.put(`trigger.default.${createId()}`, Buffer.from("{"));
    await warned;
    expect((await call("GET", triggers)).status).toBe(200);
  });
});
