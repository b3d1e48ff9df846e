import { assertSilence, until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ctsExample, ltsExample, minioExample, obsExample, toTrigger } from "./documented.ts";
import { type HttpPlatform, startHttpPlatform } from "./http-platform.ts";

const bucket = "functionstorage-template";
const [record] = obsExample.Records;
const upload = (key: string, sequencer = key) => ({
  Records: [{ ...record, s3: { ...record!.s3, object: { ...record!.s3.object, key, sequencer } } }],
});
const event = (id: string) => ({
  ...{ specversion: "1.0", id, source: "/s", type: "com.example.made" },
  ...{ datacontenttype: "application/json", data: { id } },
});
const structured = { "content-type": "application/cloudevents+json" };

describe("events over HTTP", () => {
  let platform: HttpPlatform;
  const silence = assertSilence();
  const answerOf = async (answer: Response) => [answer.status, await answer.json()];
  const codeOf = (answer: Response) => [answer.status, answer.headers.get("x-fnbus-error")];

  beforeAll(async () => {
    platform = await startHttpPlatform();
    await Promise.all([platform.createFunction("taker"), platform.createFunction("asker", "request")]);
    for (const trigger of [
      toTrigger("obs", { bucket, events: ["ObjectCreated"], suffix: ".png" }, "uploads"),
      toTrigger("obs", { bucket: "images", events: ["s3:ObjectCreated:Put"] }, "minio"),
      toTrigger(
        "lts",
        { logGroupId: "97a9d284-4448-11e8-8fa4-286ed488ce70", logTopicId: "1a9675a7-784d-11e8-9f70-286ed488ce70" },
        "logs",
      ),
      toTrigger("cts", { operations: ["vpc:vpc:deleteGraph"] }, "audit"),
      toTrigger("cloudevents", { types: ["com.example.*"] }, "events"),
      { ...toTrigger("cloudevents", {}, "requests"), function: { name: "asker", qualifier: "latest" } },
    ])
      await platform.createTrigger(trigger);
  });
  afterAll(async () => {
    await platform.stop();
    silence.assert();
  });

  it("an object event is in the log before it is answered, in FunctionGraph's form (I1)", async () => {
    const answer = await platform.post("uploads", upload("a.png"));
    const [id] = ((await answer.json()) as { ids: string[] }).ids;
    expect(answer.status).toBe(202);
    const stored = (await platform.stored()).find(({ meta }) => meta.id === id);
    expect(stored?.meta).toMatchObject({ function: "taker", kind: "event", source: "obs", trigger: "uploads" });
    const body = JSON.parse(Buffer.from(stored!.body).toString("utf8"));
    expect(body.Records[0]).toMatchObject({
      eventName: "ObjectCreated:Post",
      awsRegion: "{region}",
      Region: "{region}",
    });
  });

  it.each<[string, unknown, Record<string, string>, number]>([
    ["minio", minioExample, {}, 1],
    ["logs", ltsExample, {}, 1],
    ["audit", ctsExample, {}, 1],
    ["events", event("form"), structured, 1],
    ["events", [event("b1"), event("b2")], { "content-type": "application/cloudevents-batch+json" }, 2],
    [
      "requests",
      '{"x":1}',
      { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t", "content-type": "application/json" },
      1,
    ],
  ])("%s takes its events; again, they are the same invocations (I2, L9)", async (trigger, body, headers, count) => {
    const before = await platform.totals();
    const first = await answerOf(await platform.post(trigger, body, headers));
    const second = await answerOf(await platform.post(trigger, body, headers));
    expect(first).toEqual([202, { accepted: count, filtered: 0, ids: expect.any(Array) }]);
    expect(second).toEqual(first);
    await until("the ledger has judged both", async () => (await platform.totals()).dropped === before.dropped + count);
    expect((await platform.totals()).accepted).toBe(before.accepted + count);
  });

  it("a request handler gets attributes as headers and data as body", async () => {
    const stored = (await platform.stored()).find(({ meta }) => meta.trigger === "requests")!;
    expect([stored.meta.kind, stored.meta.method, stored.meta.path]).toEqual(["http", "POST", "/"]);
    expect(Object.fromEntries(stored.meta.headers)).toMatchObject({ "ce-id": "1", "content-type": "application/json" });
    expect(Buffer.from(stored.body).toString()).toBe('{"x":1}');
  });

  it("what the filter does not take is answered, and is no invocation", async () => {
    const before = await platform.totals();
    const answers = [
      await platform.post("uploads", upload("a.jpg")),
      await platform.post("events", { ...event("1"), type: "org.other" }, structured),
      await platform.post("audit", { ...ctsExample.cts, trace_name: "other" }),
      await platform.post("logs", { logs: [], log_group_id: "other" }),
    ];
    for (const answer of answers) expect(await answerOf(answer)).toEqual([200, { accepted: 0, filtered: 1, ids: [] }]);
    expect(await platform.totals()).toEqual(before);
  });

  it("a delivery is taken in part: the records that the filter wants", async () => {
    const body = { Records: [...upload("1.png").Records, ...upload("2.jpg").Records, ...upload("3.png").Records] };
    expect(await answerOf(await platform.post("uploads", body))).toMatchObject([202, { accepted: 2, filtered: 1 }]);
  });

  it("the trace of the event goes on, else that of the request", async () => {
    const [ofEvent, ofRequest] = ["a", "b"].map((digit) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`);
    const headers = { ...structured, traceparent: ofRequest! };
    await platform.post("events", { ...event("traced"), traceparent: ofEvent }, headers);
    await platform.post("events", event("requested"), headers);
    const traces = (await platform.stored()).slice(-2).map(({ meta }) => meta.traceparent);
    expect(traces).toEqual([ofEvent, ofRequest]);
  });

  it("5 MB go through the object store, 6 MB and more are refused before they are read", async () => {
    const big = { ...event("big"), data: "x".repeat(5 * 1024 * 1024) };
    expect((await platform.post("events", big, structured)).status).toBe(202);
    const stored = (await platform.stored()).at(-1)!;
    expect(stored.meta.bodyReference?.bytes).toBeGreaterThan(5 * 1024 * 1024);
    const larger = await platform.post("events", "x".repeat(6 * 1024 * 1024 + 1), structured);
    expect(codeOf(larger)).toEqual([413, "body_too_large"]);
  });

  it.each<[string, string, unknown, Record<string, string>, [number, string]]>([
    ["an unknown trigger", "nope", {}, {}, [404, "trigger_not_found"]],
    ["what is not JSON", "uploads", "{", {}, [400, "invalid_json"]],
    ["another form", "uploads", { Records: 1 }, {}, [400, "event_malformed"]],
    [
      "an unknown kind of event",
      "uploads",
      { Records: [{ ...record, eventName: "Explosion" }] },
      {},
      [422, "event_type_unknown"],
    ],
    ["CloudEvents without a version", "events", "{}", structured, [400, "event_malformed"]],
    [
      "CloudEvents as XML",
      "events",
      "<a/>",
      { "content-type": "application/cloudevents+xml" },
      [415, "media_type_unsupported"],
    ],
    ["an encoded body", "uploads", "x", { "content-encoding": "gzip" }, [415, "content_encoding_unsupported"]],
    [
      "a wrong key",
      "uploads",
      {},
      { authorization: `Bearer fnb_${crypto.randomUUID()}_${"A".repeat(43)}` },
      [401, "unauthenticated"],
    ],
    ["no key", "uploads", {}, { authorization: "" }, [401, "unauthenticated"]],
  ])("refuses %s with a code of its own", async (_what, trigger, body, headers, expected) => {
    const answer = await platform.post(trigger, body, headers);
    expect(codeOf(answer)).toEqual(expected);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(await answer.json()).toMatchObject({
      status: expected[0],
      code: expected[1],
      instance: `/events/test/${trigger}`,
    });
  });

  it("a key of another space or without the scope is refused, before it is told whether the trigger exists", async () => {
    const elsewhere = await platform.newKey(["trigger.publish"], ["other"]);
    const reader = await platform.newKey(["trigger.read"], ["test"]);
    const revoked = await platform.newKey(["trigger.publish"], [], { revokedAt: 1 });
    const tell = async (key: string) => codeOf(await platform.post("nope", {}, { authorization: `Bearer ${key}` }));
    await until("keys are known", async () => (await tell(revoked))[1] === "key_revoked");
    expect([await tell(elsewhere), await tell(reader)]).toEqual([
      [403, "space_forbidden"],
      [403, "scope_missing"],
    ]);
  });

  it("a sender that can set no header sends its key as access_token, and nobody shows it again", async () => {
    const send = (query: string, headers = {}) =>
      fetch(`${platform.url}/events/test/uploads?${query}`, {
        method: "POST",
        body: JSON.stringify(upload("token.png")),
        headers,
      });
    expect((await send(`access_token=${platform.key}`)).status).toBe(202);
    const both = await send(`access_token=${platform.key}`, { authorization: `Bearer ${platform.key}` });
    const text = await both.text();
    expect([both.status, text.includes(platform.key)]).toEqual([400, false]);
    expect((await send(`access_token=${platform.key}&access_token=x`)).status).toBe(400);
    const envelopes = await platform.stored();
    expect(JSON.stringify(envelopes.map(({ meta }) => meta))).not.toContain(platform.key);
  });

  it("a key's rate holds, and says when to come again", async () => {
    const slow = await platform.newKey(["trigger.publish"], [], { rate: 1 });
    const authorization = `Bearer ${slow}`;
    await until(
      "the key is known",
      async () => (await platform.post("uploads", upload("x.jpg"), { authorization })).status === 200,
    );
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => platform.post("uploads", upload("x.jpg"), { authorization })),
    );
    const limited = answers.find(({ status }) => status === 429);
    expect([limited?.headers.get("x-fnbus-error"), limited?.headers.get("retry-after")]).toEqual(["rate_limited", "1"]);
  });

  it("other methods and paths are told what there is", async () => {
    const authorization = `Bearer ${platform.key}`;
    const get = await fetch(`${platform.url}/events/test/uploads`, { headers: { authorization } });
    expect([...codeOf(get), get.headers.get("allow")]).toEqual([405, "method_not_allowed", "OPTIONS, POST"]);
    // MinIO asks so whether its target is there: any answer will do.
    const head = await fetch(`${platform.url}/events/test/uploads`, { method: "HEAD", headers: { authorization } });
    expect(codeOf(head)).toEqual([405, "method_not_allowed"]);
    expect(codeOf(await fetch(`${platform.url}/`))).toEqual([404, "route_not_found"]);
  });

  describe("the handshake of CloudEvents' webhooks", () => {
    const shake = (trigger: string, headers: Record<string, string>, key = platform.key) =>
      fetch(`${platform.url}/events/test/${trigger}`, {
        method: "OPTIONS",
        headers: { authorization: `Bearer ${key}`, ...headers },
      });

    it("allows the origin that asks, and names the key's rate", async () => {
      const answer = await shake("events", {
        "webhook-request-origin": "eventemitter.example.com",
        "webhook-request-rate": "120",
      });
      const said = ["webhook-allowed-origin", "webhook-allowed-rate", "allow"].map((name) => answer.headers.get(name));
      expect([answer.status, ...said]).toEqual([200, "eventemitter.example.com", "*", "OPTIONS, POST"]);
    });

    it("says requests a minute where the key has a rate", async () => {
      const key = await platform.newKey(["trigger.publish"], [], { rate: 50 });
      const origin = { "webhook-request-origin": "x" };
      await until("the key is known", async () => (await shake("events", origin, key)).status === 200);
      expect((await shake("events", origin, key)).headers.get("webhook-allowed-rate")).toBe("3000");
    });

    it("is refused without a key, without an origin, and by triggers of other types", async () => {
      const origin = { "webhook-request-origin": "x" };
      expect(codeOf(await shake("events", { ...origin, authorization: "" }))).toEqual([401, "unauthenticated"]);
      expect(codeOf(await shake("events", {}))).toEqual([400, "invalid_request"]);
      expect(codeOf(await shake("events", { "webhook-request-origin": "a b" }))).toEqual([400, "invalid_request"]);
      expect(codeOf(await shake("uploads", origin))).toEqual([405, "method_not_allowed"]);
    });
  });
});
