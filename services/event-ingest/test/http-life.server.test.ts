import { subjects, type Trigger } from "@fnbus/contract";
import { assertSilence, freePorts, until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrokerProxy } from "./broker-proxy.ts";
import { obsExample, toTrigger } from "./documented.ts";
import { type HttpPlatform, startHttpPlatform, startService } from "./http-platform.ts";

const [record] = obsExample.Records;
const loopback = { FNBUS_BROKER_ALLOW_LOOPBACK: "true" };
const upload = (sequencer: string) =>
  JSON.stringify({ Records: [{ ...record, s3: { ...record!.s3, object: { ...record!.s3.object, sequencer } } }] });

describe("triggers over HTTP in the life of their service", () => {
  let platform: HttpPlatform;
  const silence = assertSilence();
  const codeOf = (answer: Response) => [answer.status, answer.headers.get("x-fnbus-error")];
  const obs = (name: string) =>
    toTrigger("obs", { bucket: "functionstorage-template", events: ["ObjectCreated"] }, name);

  beforeAll(async () => {
    platform = await startHttpPlatform(loopback);
    await platform.createFunction("taker");
  });
  afterAll(async () => {
    await platform.stop();
    silence.assert();
  });

  it("a trigger without its function is Failed and takes nothing; it runs by itself when the function comes", async () => {
    const trigger = { ...obs("early"), function: { name: "late", qualifier: "latest" } };
    await platform.triggers.createTrigger(trigger);
    await until("it is Failed", async () => (await platform.report(trigger.id))?.state === "Failed");
    expect((await platform.report(trigger.id))?.error?.code).toBe("function_not_found");
    expect(codeOf(await platform.post("early", upload("1")))).toEqual([404, "function_not_found"]);
    await platform.createFunction("late");
    await until("it runs", async () => (await platform.report(trigger.id))?.state === "Running");
    expect((await platform.post("early", upload("1"))).status).toBe(202);
  });

  it("a changed filter holds without a restart, a paused trigger refuses so that the sender comes again", async () => {
    const { trigger, revision } = await platform.createTrigger(obs("changing"));
    expect((await platform.post("changing", upload("1"))).status).toBe(202);
    const changed = await platform.triggers.updateTrigger(
      {
        ...obs("changing"),
        id: trigger.id,
        incarnation: trigger.incarnation,
        config: { bucket: "other", events: ["Put"] },
      },
      revision,
    );
    await until("nothing is taken", async () => (await platform.post("changing", upload("2"))).status === 200);
    await platform.triggers.updateTrigger({ ...changed.trigger, enabled: false }, changed.revision);
    await until("it is paused", async () => (await platform.post("changing", upload("2"))).status === 503);
    const paused = await platform.post("changing", upload("2"));
    expect([...codeOf(paused), paused.headers.get("retry-after")]).toEqual([503, "trigger_paused", "1"]);
    expect((await platform.report(trigger.id))?.state).toBe("Paused");
    await platform.triggers.deleteTrigger("test", "changing");
    await until("it is gone", async () => (await platform.post("changing", upload("2"))).status === 404);
  });

  it("a filter that no longer means anything is Failed with its code", async () => {
    const trigger = { ...obs("odd"), config: { bucket: "b", events: ["Explosion"] } };
    await platform.triggers.createTrigger(trigger);
    await until(
      "it is Failed",
      async () => (await platform.report(trigger.id))?.error?.code === "event_filter_unknown",
    );
    expect(codeOf(await platform.post("odd", upload("1")))).toEqual([422, "event_filter_unknown"]);
  });

  it("triggers of brokers that are not there are Failed, each with its reason; the others go on", async () => {
    const [port] = await freePorts(1);
    const common = { ...obs("away"), function: { name: "taker", qualifier: "latest" } };
    const away: Trigger[] = [
      {
        ...common,
        id: crypto.randomUUID(),
        name: "queue",
        type: "rabbitmq",
        config: { host: "127.0.0.1", port: port! },
      },
      {
        ...common,
        ...{ id: crypto.randomUUID(), name: "stream", type: "kafka" },
        config: { brokers: [`127.0.0.1:${port}`], topics: ["t"] },
      },
    ];
    for (const trigger of away) await platform.triggers.createTrigger(trigger);
    for (const { id } of away)
      await until("it is Failed", async () => (await platform.report(id))?.error?.code === "source_unreachable");
    await platform.createTrigger(obs("beside"));
    expect((await platform.post("beside", upload("1"))).status).toBe(202);
    for (const { name } of away) await platform.triggers.deleteTrigger("test", name);
  });

  it("its report counts, and remembers what was sent wrong", async () => {
    const { trigger } = await platform.createTrigger(obs("counted"));
    await platform.post("counted", upload("1"));
    await platform.post("counted", { Records: [] });
    await platform.post("counted", { Records: 1 });
    expect(await platform.report(trigger.id)).toMatchObject({
      ...{ state: "Running", received: 1, published: 1, givenUp: 0 },
      error: { code: "event_malformed", message: "Records is to be a list" },
    });
  });

  it("a test shows what an event would make, or makes it", async () => {
    const { trigger } = await platform.createTrigger(obs("tested"));
    const dry = await platform.ask({ ask: "test", id: trigger.id, dryRun: true });
    if (!dry.ok || dry.answer !== "tested") throw new Error(JSON.stringify(dry));
    expect(dry.invocations).toMatchObject([{ function: "taker", kind: "event", source: "obs" }]);
    expect(JSON.parse(dry.invocations[0]!.text!).Records[0].s3.bucket.name).toBe("functionstorage-template");
    const { accepted } = await platform.totals();
    const event = JSON.parse(upload("given"));
    expect(await platform.ask({ ask: "test", id: trigger.id, dryRun: false, event })).toMatchObject({ ok: true });
    await until("it is accepted", async () => (await platform.totals()).accepted === accepted + 1);
    const unwanted = { Records: [{ ...event.Records[0], eventName: "ObjectRemoved:Delete" }] };
    expect(await platform.ask({ ask: "test", id: trigger.id, dryRun: true, event: unwanted })).toMatchObject({
      ok: false,
      code: "event_not_wanted",
    });
  });

  it("killed between store and answer: the sender repeats, and it is one invocation (I2, I6)", async () => {
    await platform.createTrigger(obs("killed"));
    const proxy = await startBrokerProxy(platform.nats.port);
    const [port] = await freePorts(1);
    const send = () =>
      fetch(`http://127.0.0.1:${port}/events/test/killed`, {
        method: "POST",
        headers: { authorization: `Bearer ${platform.key}` },
        body: upload("once"),
      });
    const before = await platform.totals();
    const first = await startService("event-ingest", platform.nats, {
      FNBUS_INGEST_PORT: String(port),
      NATS_URL: proxy.url,
    });
    proxy.hold();
    const unanswered = send().then(
      () => "answered",
      () => "cut off",
    );
    await until("it is stored", async () => (await platform.totals()).accepted === before.accepted + 1);
    await first.kill();
    expect(await unanswered).toBe("cut off");
    proxy.close();
    const second = await startService("event-ingest", platform.nats, { FNBUS_INGEST_PORT: String(port) });
    expect((await send()).status).toBe(202);
    await until("the copy is dropped", async () => (await platform.totals()).dropped === before.dropped + 1);
    expect((await platform.totals()).accepted).toBe(before.accepted + 1);
    await second.stop();
  });

  it("no acknowledgement in time is 503, and the same again is the same invocation (I1)", async () => {
    await platform.createTrigger(obs("late"));
    const proxy = await startBrokerProxy(platform.nats.port);
    const [port] = await freePorts(1);
    const service = await startService("event-ingest", platform.nats, {
      ...{ FNBUS_INGEST_PORT: String(port), NATS_URL: proxy.url, FNBUS_ACCEPT_TIMEOUT_MS: "500" },
    });
    const send = () =>
      fetch(`http://127.0.0.1:${port}/events/test/late`, {
        method: "POST",
        headers: { authorization: `Bearer ${platform.key}` },
        body: upload("late"),
      });
    const before = await platform.totals();
    proxy.hold();
    expect(codeOf(await send())).toEqual([503, "accept_unknown"]);
    proxy.release();
    await until("it is taken", async () => (await send()).status === 202);
    await until("copies are dropped", async () => (await platform.totals()).dropped > before.dropped);
    expect((await platform.totals()).accepted).toBe(before.accepted + 1);
    // What is in flight when it is told to stop is answered.
    proxy.hold();
    const inFlight = send();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stopping = service.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    proxy.release();
    expect((await inFlight).status).toBe(202);
    await stopping;
    proxy.close();
  });

  it("two replicas that get the same events at once make one invocation of each (I2)", async () => {
    await platform.createTrigger(obs("both"));
    const [port] = await freePorts(1);
    const other = await startService("event-ingest", platform.nats, { FNBUS_INGEST_PORT: String(port) });
    const before = await platform.totals();
    const urls = [platform.url, `http://127.0.0.1:${port}`];
    const headers = { authorization: `Bearer ${platform.key}` };
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        fetch(`${urls[at % 2]}/events/test/both`, { method: "POST", headers, body: upload(`both-${at >> 1}`) }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await until("copies are dropped", async () => (await platform.totals()).dropped === before.dropped + 20);
    expect((await platform.totals()).accepted).toBe(before.accepted + 20);
    await other.stop();
  });

  it("a function whose backlog is full refuses before it accepts, and says when to come again (L23)", async () => {
    const { id } = await platform.createFunction("busy");
    await platform.createTrigger({ ...obs("busy"), function: { name: "busy", qualifier: "latest" } });
    const said = { partition: 0, owner: "scripted", fill: 0, keptKeys: 0, unfinished: 0, accepted: 0, ended: 0 };
    const say = (full: string[]) =>
      platform.bus.publish(
        subjects.announceLedger(0),
        Buffer.from(JSON.stringify({ ...said, epoch: Number.MAX_SAFE_INTEGER, full })),
      );
    say([id]);
    await until("it is refused", async () => (await platform.post("busy", upload("1"))).status === 429);
    const refused = await platform.post("busy", upload("2"));
    expect([...codeOf(refused), refused.headers.get("retry-after")]).toEqual([429, "function_backlog_full", "5"]);
    say([]);
    await until("there is room again", async () => (await platform.post("busy", upload("2"))).status === 202);
  });
});
