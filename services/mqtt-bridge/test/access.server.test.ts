import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunningService } from "@fnbus/service";
import {
  assertSilence,
  freePorts,
  type Mosquitto,
  type MosquittoOptions,
  startMosquitto,
  startNats,
  until,
} from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bodiesOf, connectDevice, type Platform, startPlatform } from "./platform.ts";

let platform: Platform;
let bridge: RunningService;
const brokers: Mosquitto[] = [];
const silence = assertSilence();

beforeAll(async () => {
  platform = await startPlatform();
  bridge = await platform.startBridge();
  await platform.addFunction("f", "#");
});
afterEach(async () => {
  for (const { trigger } of [...platform.triggers.allTriggers()])
    await platform.triggers.deleteTrigger(trigger.space, trigger.name);
  await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
});
afterAll(async () => {
  await bridge?.stop();
  await platform?.stop();
  silence.assert();
});
const start = async (options: MosquittoOptions) => {
  const broker = await startMosquitto(options);
  brokers.push(broker);
  return broker;
};

/** An authority, and certificates of it for 127.0.0.1 and for a client. */
function makeCertificates() {
  const folder = mkdtempSync(join(tmpdir(), "fnbus-tls-"));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-days", "2", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority");
  for (const name of ["server", "client"]) {
    openssl(
      "req",
      ...key,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
      "-addext",
      "subjectAltName=IP:127.0.0.1",
    );
    const ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy"];
    openssl("x509", "-req", ...ca, "-days", "2", "-in", `${name}.csr`, "-out", `${name}.pem`);
  }
  return {
    at,
    text: (name: string) => readFileSync(at(name), "utf8"),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

describe("mqtt-bridge and who may what", () => {
  it("a wrong password is Failed 'Not Authorized', and Running when the trigger or the broker is mended", async () => {
    const broker = await start({ users: { bridge: "right" } });
    const access = { port: broker.port, username: "bridge" };
    const trigger = await platform.addTrigger({ ...access, password: "wrong" });
    const report = await platform.untilState(trigger, "Failed", "source_unauthorized");
    expect(report.error?.message).toBe("Not Authorized");
    const mended = await platform.changeTrigger(trigger, { ...access, password: "right" });
    await platform.untilState(mended, "Running");
    // Rotated at the broker alone.
    await broker.setUsers({ bridge: "rotated" });
    await broker.restart();
    await platform.untilState(mended, "Failed", "source_unauthorized");
    await broker.setUsers({ bridge: "right" });
    await broker.restart();
    await platform.untilState(mended, "Running");
    const old = await platform.addTrigger({ ...access, password: "wrong", protocolVersion: 4 });
    await platform.untilState(old, "Failed", "source_unauthorized");
  });

  it("a subscription that the broker refuses is Failed, and names the filter", async () => {
    const users = { bridge: "secret" };
    const broker = await start({ users, mayRead: { bridge: ["open/#"] } });
    const access = { port: broker.port, username: "bridge", password: "secret" };
    const trigger = await platform.addTrigger({ ...access, topics: "open/a, closed/#" });
    const report = await platform.untilState(trigger, "Failed", "subscription_refused");
    expect(report.error?.message).toContain("closed/#");
    expect(report.error?.message).not.toContain("open/a");
    expect(report.details).toMatchObject({ subscriptions: [{ filter: "open/a", qos: 1 }] });
    const old = await platform.addTrigger({ ...access, topics: "closed/#", protocolVersion: 4 });
    await platform.untilState(old, "Failed", "subscription_refused");
    await platform.untilState(await platform.changeTrigger(trigger, { topics: "open/a" }), "Running");
  });

  it("TLS: an unknown authority fails, the trigger's own is trusted, and a client certificate is shown", async () => {
    const { at, text, remove } = makeCertificates();
    const broker = await start({ tls: { certificate: at("server.pem"), key: at("server.key"), ca: at("ca.pem") } });
    const trigger = await platform.addTrigger({ port: broker.port, tls: {} });
    await platform.untilState(trigger, "Failed", "source_tls_failed");
    const ca = text("ca.pem");
    const bare = await platform.addTrigger({ port: broker.port, tls: { ca } });
    await platform.untilState(bare, "Failed", "source_tls_failed");
    const client = { ca, certificate: text("client.pem"), key: text("client.key") };
    const known = await platform.addTrigger({ port: broker.port, tls: client });
    await platform.untilState(known, "Running");
    const other = await platform.addTrigger({ port: broker.port, tls: { ...client, serverName: "another" } });
    await platform.untilState(other, "Failed", "source_tls_failed");
    const device = await connectDevice(broker.port, {
      ...{ protocol: "mqtts", ca, cert: client.certificate, key: client.key },
    });
    await device.publishAsync("a", "over TLS", { qos: 1 });
    await until("one", async () => bodiesOf(await platform.invocations(known)).join() === "over TLS");
    await device.endAsync(true);
    expect(JSON.stringify(await platform.reports(known))).not.toContain("PRIVATE KEY");
    remove();
  });

  it("3.1.1 against NATS' own listener, whose clients cannot share", async () => {
    const [port] = await freePorts(1);
    const nats = await startNats({ mqttPort: port! });
    const trigger = await platform.addTrigger({ port: port!, protocolVersion: 4, topics: "line/+" });
    await platform.untilState(trigger, "Running");
    const device = await connectDevice(port!, { protocolVersion: 4 });
    for (let n = 0; n < 20; n++) await device.publishAsync("line/1", String(n), { qos: 1 });
    await until("twenty", async () => (await platform.invocations(trigger)).length === 20);
    const modern = await platform.addTrigger({ port: port!, topics: "line/+" });
    const report = await platform.untilState(modern, "Failed");
    expect(report.error?.code).toMatch(/^source_/);
    await device.endAsync(true);
    await nats.stop();
  });

  it("an address that no broker may have is refused, in digits and by name", async () => {
    const digits = await platform.addTrigger({ host: "169.254.169.254" });
    await platform.untilState(digits, "Failed", "broker_address_forbidden");
    await bridge.stop();
    bridge = await platform.startBridge({ FNBUS_BROKER_ALLOW_LOOPBACK: "false" });
    const name = await platform.addTrigger({ host: "localhost" });
    await platform.untilState(name, "Failed", "broker_address_forbidden");
  });
});
