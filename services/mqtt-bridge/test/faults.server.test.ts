import { fileURLToPath } from "node:url";
import { type LedgerAnnouncement, subjects, type TriggerReport } from "@fnbus/contract";
import type { RunningService } from "@fnbus/service";
import { assertSilence, type Child, type Mosquitto, startChild, startMosquitto, until } from "@fnbus/testing";
import type { MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MqttTrigger } from "../src/core/subscriptions.ts";
import { MAX_IN_HAND } from "../src/in/in-hand.ts";
import { bodiesOf, connectDevice, type Platform, startPlatform } from "./platform.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

let platform: Platform;
let broker: Mosquitto;
let device: MqttClient;
const bridges = new Set<RunningService>();
const children = new Set<Child>();
const silence = assertSilence();

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => {
  await platform?.stop();
  silence.assert();
});
beforeEach(async () => {
  broker = await startMosquitto();
  device = await connectDevice(broker.port);
  await platform.addFunction("f", "#");
});
afterEach(async () => {
  await device.endAsync(true);
  for (const { trigger } of [...platform.triggers.allTriggers()])
    await platform.triggers.deleteTrigger(trigger.space, trigger.name);
  for (const { definition } of [...platform.registry.allFunctions()])
    await platform.registry.deleteFunction(definition.space, definition.name);
  await Promise.all([...children].map((child) => child.kill()));
  await Promise.all([...bridges].map((bridge) => bridge.stop()));
  children.clear();
  bridges.clear();
  await broker.stop();
});

const startBridge = async () => {
  const bridge = await platform.startBridge();
  bridges.add(bridge);
  return {
    async stop() {
      bridges.delete(bridge);
      await bridge.stop();
    },
  };
};
/** A bridge in a process of its own, which can be killed. */
const startProcess = async () => {
  const variables = Object.entries(platform.variables({ FNBUS_LOG_LEVEL: "warn" })).map(
    ([name, value]) => `${name}=${value}`,
  );
  const child = await startChild("env", [...variables, process.execPath, MAIN]);
  children.add(child);
  return {
    async kill() {
      children.delete(child);
      await child.kill();
    },
  };
};
const publish = async (from: number, to: number, topic = "line/1") => {
  for (let n = from; n < to; n++) await device.publishAsync(topic, String(n), { qos: 1 });
};
const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n));
/** What came, each payload once. */
const distinct = async (trigger: MqttTrigger) => [...new Set(bodiesOf(await platform.invocations(trigger)))];
const untilAll = async (trigger: MqttTrigger, count: number, timeoutMs = 20_000) => {
  await until(`${count} messages`, async () => (await distinct(trigger)).length >= count, timeoutMs);
  expect((await distinct(trigger)).toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(count));
};

describe("mqtt-bridge when things break", () => {
  it("two replicas divide the messages: each is one invocation", async () => {
    await Promise.all([startBridge(), startBridge()]);
    const trigger = await platform.addTrigger({ port: broker.port });
    await platform.untilState(trigger, "Running", undefined, 2);
    await publish(0, 200);
    await untilAll(trigger, 200);
    expect(await platform.invocations(trigger)).toHaveLength(200);
    let reports: TriggerReport[] = [];
    await until("both say what they received", async () => {
      reports = await platform.reports(trigger);
      return reports.reduce((sum, { received }) => sum + received, 0) === 200;
    });
    for (const { received } of reports) expect(received).toBeGreaterThan(20);
    expect(reports.map(({ details }) => details?.slot).toSorted()).toEqual([0, 1]);
  });

  it("killed between receipt and acknowledgement, nothing is lost (I6)", async () => {
    const first = await startProcess();
    const trigger = await platform.addTrigger({ port: broker.port });
    await platform.untilState(trigger, "Running");
    await publish(0, 20);
    await untilAll(trigger, 20);
    // Nothing can be published now, so whatever is received is not acknowledged.
    platform.nats.freeze();
    await publish(20, 60);
    await first.kill();
    await publish(60, 80);
    platform.nats.thaw();
    await startProcess();
    await untilAll(trigger, 80);
  });

  it("killed while messages flow, nothing is lost, and no more is doubled than was in hand", async () => {
    const first = await startProcess();
    await startBridge();
    const trigger = await platform.addTrigger({ port: broker.port });
    await platform.untilState(trigger, "Running", undefined, 2);
    const flowing = publish(0, 600);
    await until("some", async () => (await distinct(trigger)).length > 100);
    await first.kill();
    await flowing;
    await startBridge();
    await untilAll(trigger, 600);
    expect((await platform.invocations(trigger)).length).toBeLessThanOrEqual(600 + MAX_IN_HAND);
  });

  it("a replica that never comes back does not hoard its share: another empties its sessions", async () => {
    const first = await startProcess();
    await startBridge();
    const trigger = await platform.addTrigger({ port: broker.port });
    await platform.untilState(trigger, "Running", undefined, 2);
    await first.kill();
    await publish(0, 100);
    await untilAll(trigger, 100, 30_000);
    // Emptied and struck out: the sessions end, so nothing is divided to them.
    const bucket = await platform.bus.keyValue("LEASES");
    await until("one slot", async () => {
      const known = await Promise.all([0, 1].map((slot) => bucket.get(`mqtt.known.${slot}`)));
      return known.filter(Boolean).length === 1;
    });
    await publish(100, 120);
    await untilAll(trigger, 120, 3_000);
    expect(await platform.invocations(trigger)).toHaveLength(120);
  });

  it("the broker is killed and comes back, and the session is kept: what came meanwhile is delivered", async () => {
    const bridge = await startBridge();
    const trigger = await platform.addTrigger({ port: broker.port });
    await platform.untilState(trigger, "Running");
    await publish(0, 10);
    await untilAll(trigger, 10);
    await bridge.stop();
    await publish(10, 30);
    // Time for the broker to write its sessions down.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await broker.restart();
    await startBridge();
    await untilAll(trigger, 30);
    await broker.restart();
    await platform.untilState(trigger, "Running");
    await publish(30, 40);
    await untilAll(trigger, 40);
  });

  it("an unreachable broker is Failed source_unreachable, and Running when it is there", async () => {
    await startBridge();
    const trigger = await platform.addTrigger({ port: broker.port });
    await platform.untilState(trigger, "Running");
    await broker.kill();
    await platform.untilState(trigger, "Failed", "source_unreachable");
    await broker.restart();
    await platform.untilState(trigger, "Running");
  });

  it("a full backlog holds the messages at the broker, and nothing is lost (L23)", async () => {
    await startBridge();
    const trigger = await platform.addTrigger({ port: broker.port, connections: 2 });
    await platform.untilState(trigger, "Running");
    const { id } = platform.registry.functionByName("plant", "f")!.definition;
    const said = { partition: 0, epoch: 1, fill: 0, keptKeys: 0, full: [id] } as unknown as LedgerAnnouncement;
    const announce = (full: string[]) =>
      platform.bus.publish(subjects.announceLedger(0), Buffer.from(JSON.stringify({ ...said, full })));
    const repeat = setInterval(() => announce([id]), 200);
    announce([id]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await publish(0, 300);
    await until("held", async () => (await platform.reports(trigger))[0]?.error?.code === "function_backlog_full");
    const [report] = await platform.reports(trigger);
    expect(report).toMatchObject({ state: "Running", received: 2 * MAX_IN_HAND, published: 0 });
    clearInterval(repeat);
    announce([]);
    await untilAll(trigger, 300);
    expect(await platform.invocations(trigger)).toHaveLength(300);
  });

  it("without shared subscriptions one replica has the trigger, and another takes it over", async () => {
    const first = await startProcess();
    const trigger = await platform.addTrigger({ port: broker.port, protocolVersion: 4 });
    await platform.untilState(trigger, "Running");
    await startBridge();
    await until("two replicas", async () => (await platform.reports(trigger)).length === 2);
    await publish(0, 20);
    await untilAll(trigger, 20);
    await first.kill();
    await publish(20, 40);
    await untilAll(trigger, 40);
    await platform.untilState(trigger, "Running");
    expect((await platform.invocations(trigger)).length).toBeLessThanOrEqual(41);
  });

  it("a trigger that is deleted leaves no session behind, one with fewer connections none of those it had", async () => {
    await startBridge();
    const trigger = await platform.addTrigger({ port: broker.port, connections: 3 });
    await platform.untilState(trigger, "Running");
    const name = (at: number) => `fnbus-${trigger.id.replaceAll("-", "")}-0-${at}`;
    /** Whether the broker still knows a session: it says so to whoever connects with its name. */
    const isKnown = async (clientId: string) => {
      const probe = await connectDevice(broker.port, { clientId, clean: false, reconnectPeriod: 0 });
      const isPresent = (probe as unknown as { connackPacket: { sessionPresent: boolean } }).connackPacket
        .sessionPresent;
      await probe.endAsync(true);
      return isPresent;
    };
    const fewer = await platform.changeTrigger(trigger, { connections: 1 });
    await platform.untilState(fewer, "Running");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await isKnown(name(2))).toBe(false);
    await publish(0, 20);
    await untilAll(trigger, 20);
    await platform.triggers.deleteTrigger(trigger.space, trigger.name);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await isKnown(name(0))).toBe(false);
  });
});
