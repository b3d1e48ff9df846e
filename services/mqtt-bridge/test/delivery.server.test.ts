import type { RunningService } from "@fnbus/service";
import { assertSilence, type Mosquitto, startMosquitto, until } from "@fnbus/testing";
import type { MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bodiesOf, connectDevice, type Platform, startPlatform } from "./platform.ts";

let platform: Platform;
let broker: Mosquitto;
let bridge: RunningService;
let device: MqttClient;
const silence = assertSilence();

beforeAll(async () => {
  [platform, broker] = await Promise.all([startPlatform(), startMosquitto()]);
  bridge = await platform.startBridge();
  device = await connectDevice(broker.port);
});
afterAll(async () => {
  await device?.endAsync(true);
  await bridge?.stop();
  await platform?.stop();
  await broker?.stop();
  silence.assert();
});
/** Each test has topics of its own, under its own first level. */
let level = 0;
const fresh = () => `t${++level}`;
afterEach(async () => {
  for (const { trigger } of [...platform.triggers.allTriggers()])
    await platform.triggers.deleteTrigger(trigger.space, trigger.name);
  for (const { definition } of [...platform.registry.allFunctions()])
    await platform.registry.deleteFunction(definition.space, definition.name);
});

const publish = (topic: string, payload: string | Buffer, properties = {}, retain = false) =>
  device.publishAsync(topic, payload, { qos: 1, retain, properties });

describe("mqtt-bridge with mosquitto", () => {
  it("invokes every function whose topics match, with payload, topic, content type and user properties", async () => {
    const t = fresh();
    await platform.addFunction(`${t}-exact`, `${t}/line1/temp`);
    await platform.addFunction(`${t}-wild`, `other/x, ${t}/+/temp, ${t}/#`);
    await platform.addFunction(`${t}-not`, `${t}/line2/#`);
    const trigger = await platform.addTrigger(
      { port: broker.port, topics: `${t}/#` },
      { callbackUrl: "http://c.test/x" },
    );
    await platform.untilState(trigger, "Running");
    await publish(`${t}/line1/temp`, "21.5", {
      contentType: "text/plain",
      userProperties: {
        Machine: "m1",
        tag: ["a", "b"],
        "X-Topic": "forged",
        "x-fnbus-id": "1",
        connection: "close",
        "a b": "c",
      },
    });
    await until("two invocations", async () => (await platform.invocations(trigger)).length === 2);
    const found = await platform.invocations(trigger);
    expect(found.map(({ meta }) => meta.function).toSorted()).toEqual([`${t}-exact`, `${t}-wild`]);
    for (const { meta, body } of found) {
      expect(Buffer.from(body).toString()).toBe("21.5");
      expect(meta).toMatchObject({
        kind: "http",
        method: "POST",
        path: "/",
        source: "mqtt",
        callbackUrl: "http://c.test/x",
      });
      expect(meta.headers).toEqual([
        ["x-topic", `${t}/line1/temp`],
        ["content-type", "text/plain"],
        ["machine", "m1"],
        ["tag", "a"],
        ["tag", "b"],
      ]);
    }
    const [report] = await platform.reports(trigger);
    expect(report).toMatchObject({ state: "Running", received: 1, published: 2, details: { propertiesDropped: 4 } });
  });

  it("gives a function of event style the payload as its event where it is JSON", async () => {
    const t = fresh();
    await platform.addFunction(`${t}-event`, `${t}/#`, { style: "event" });
    const trigger = await platform.addTrigger({ port: broker.port, topics: `${t}/#`, connections: 1 });
    await platform.untilState(trigger, "Running");
    await publish(`${t}/a`, '{"celsius":80}');
    await publish(`${t}/a`, "80 degrees");
    await until("two", async () => (await platform.invocations(trigger)).length === 2);
    const found = await platform.invocations(trigger);
    expect(found.map(({ meta }) => meta.kind)).toEqual(["event", "http"]);
    expect(found[0]?.meta.headers).toContainEqual(["content-type", "application/json"]);
  });

  it("topics of the broker itself ($SYS) reach no function by a leading wildcard", async () => {
    const t = fresh();
    await platform.addFunction(`${t}-all`, "#, +/broker/uptime");
    const trigger = await platform.addTrigger({
      port: broker.port,
      topics: "$SYS/broker/uptime,#",
      shared: false,
      retained: "always",
    });
    await platform.untilState(trigger, "Running");
    await until("a message of the broker", async () => (await platform.reports(trigger))[0]!.received > 0);
    await publish(`${t}/x`, "1");
    await until("the other", async () => bodiesOf(await platform.invocations(trigger)).includes("1"));
    const found = await platform.invocations(trigger);
    expect(found.every(({ meta }) => !meta.headers.some(([, value]) => value.startsWith("$SYS")))).toBe(true);
    expect((await platform.reports(trigger))[0]?.details).toMatchObject({ unmatched: expect.any(Number) });
  });

  it("filters that overlap bring one invocation a message, and a topic that nobody asks for none", async () => {
    const t = fresh();
    await platform.addFunction(`${t}-f`, `${t}/a/+`);
    const trigger = await platform.addTrigger({ port: broker.port, topics: `${t}/#, ${t}/a/b, ${t}/+/b` });
    await platform.untilState(trigger, "Running");
    await publish(`${t}/a/b`, "once");
    await publish(`${t}/c/b`, "nobody");
    await until("all copies", async () => (await platform.reports(trigger))[0]!.received === 5);
    await until("one", async () => (await platform.invocations(trigger)).length === 1);
    expect((await platform.reports(trigger))[0]?.details).toMatchObject({ unmatched: 1, copies: 3 });
  });

  it("a function that changes its topics, and a trigger that changes its filters, take effect within a second", async () => {
    const t = fresh();
    const definition = await platform.addFunction(`${t}-f`, `${t}/a`);
    let trigger = await platform.addTrigger({ port: broker.port, topics: `${t}/a` });
    const { since } = await platform.untilState(trigger, "Running");
    const registered = platform.registry.functionById(definition.id)!;
    const settings = { ...definition.settings, options: { topics: `${t}/b,${t}/c` } };
    await platform.registry.updateFunction({ ...definition, settings }, registered.revision);
    trigger = await platform.changeTrigger(trigger, { topics: `${t}/b, ${t}/c` });
    await until(
      "new subscriptions",
      async () =>
        (await platform.reports(trigger))[0]?.details?.subscriptions?.toString() !== undefined &&
        JSON.stringify((await platform.reports(trigger))[0]?.details?.subscriptions).includes(`${t}/c`),
      1_000,
    );
    await publish(`${t}/a`, "old");
    await publish(`${t}/b`, "new");
    await publish(`${t}/c`, "new too");
    await until("two", async () => (await platform.invocations(trigger)).length === 2);
    expect(bodiesOf(await platform.invocations(trigger)).toSorted()).toEqual(["new", "new too"]);
    const [report] = await platform.reports(trigger);
    expect(report).toMatchObject({ state: "Running", since, details: { stale: 0 } });
  });

  it("a trigger with a function of its own waits for it, and loses nothing meanwhile (I6)", async () => {
    const t = fresh();
    const trigger = await platform.addTrigger(
      { port: broker.port, topics: `${t}/#` },
      { function: { name: `${t}-late`, qualifier: "latest" } },
    );
    await platform.untilState(trigger, "Failed", "function_not_found");
    await until("subscribed", async () => JSON.stringify(await platform.reports(trigger)).includes('"open":1'));
    for (let n = 0; n < 10; n++) await publish(`${t}/${n}`, `early ${n}`);
    await platform.addFunction(`${t}-late`);
    await platform.untilState(trigger, "Running");
    await until("all", async () => (await platform.invocations(trigger)).length === 10);
  });

  it("a payload over 6 MB is given up with a record, and the next is delivered (I6)", async () => {
    const t = fresh();
    await platform.addFunction(`${t}-f`, `${t}/#`);
    const trigger = await platform.addTrigger({ port: broker.port, topics: `${t}/#`, connections: 1 });
    await platform.untilState(trigger, "Running");
    await publish(`${t}/large`, Buffer.alloc(6 * 1024 * 1024 + 1));
    await publish(`${t}/limit`, Buffer.alloc(6 * 1024 * 1024));
    await until("the other", async () => (await platform.reports(trigger))[0]?.published === 1);
    expect((await platform.giveUps()).at(-1)).toMatchObject({
      ...{ service: "mqtt-bridge", reason: "record_too_large", what: `mqtt message on ${t}/large` },
      details: { trigger: trigger.name, bytes: 6 * 1024 * 1024 + 1 },
    });
    expect((await platform.reports(trigger))[0]).toMatchObject({ state: "Running", givenUp: 1 });
  });

  it("kept messages come never, once, or at every subscribing, as the policy says", async () => {
    const t = fresh();
    await platform.addFunction(`${t}-f`, `${t}/#`);
    await publish(`${t}/kept`, "kept", {}, true);
    const triggers = {
      ignore: await platform.addTrigger({ port: broker.port, topics: `${t}/#` }),
      exclusive: await platform.addTrigger({ port: broker.port, topics: `${t}/#`, shared: false }),
      first: await platform.addTrigger({ port: broker.port, topics: `${t}/#`, retained: "first" }),
      always: await platform.addTrigger({ port: broker.port, topics: `${t}/#`, retained: "always" }),
      old: await platform.addTrigger({ port: broker.port, topics: `${t}/#`, retained: "first", protocolVersion: 4 }),
    };
    const counts = async () => {
      const list = await Promise.all(Object.values(triggers).map((one) => platform.invocations(one)));
      return list.map(({ length }) => length);
    };
    for (const trigger of Object.values(triggers)) await platform.untilState(trigger, "Running");
    await until("kept messages", async () => (await counts()).join() === "0,0,1,1,1");
    await bridge.stop();
    bridge = await platform.startBridge();
    for (const trigger of Object.values(triggers)) await platform.untilState(trigger, "Running");
    await until("kept messages again", async () => (await counts()).join() === "0,0,1,2,1");
    await publish(`${t}/live`, "live");
    await until("live ones", async () => (await counts()).join() === "1,1,2,3,2");
  });
});
