import { connectBus } from "@fnbus/bus";
import { assertSilence, type Silence, startNats, until } from "@fnbus/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bytes } from "./servers.ts";

const MB = 1024 * 1024;
const user = { name: "fnbus", password: "right-password" };

describe("a broker that", () => {
  let silence: Silence;
  beforeEach(() => {
    silence = assertSilence();
  });
  afterEach(() => silence.assert());

  it("reads nothing makes publishes fail at 64 MB, and takes them again when it reads (I11)", async () => {
    const nats = await startNats();
    const bus = await connectBus({ servers: nats.url, name: "suite", connectTimeoutMs: 5_000 });
    const part = new Uint8Array(MB);
    nats.freeze();
    let sent = 0;
    const fill = async () => {
      for (;;) {
        bus.publish("slow", part);
        sent++;
        await new Promise((done) => setImmediate(done));
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "disconnected" });
    expect(sent).toBeGreaterThan(50);
    expect(sent).toBeLessThanOrEqual(64);
    await expect(bus.request("slow", part, { timeoutMs: 100 })).rejects.toMatchObject({ code: "disconnected" });
    nats.thaw();
    await until("it takes them again", () => {
      try {
        bus.publish("slow", part);
        return true;
      } catch {
        return false;
      }
    });
    await bus.drain();
    await nats.stop();
  });
  it("refuses the credentials is named with what to set, and no secret is shown", async () => {
    const nats = await startNats({ user });
    const heard: string[] = [];
    const connecting = connectBus({
      servers: nats.url.replace("//", "//in-url:secret-in-url@"),
      name: "suite",
      user: "fnbus",
      password: "wrong-password",
      connectTimeoutMs: 1_000,
      onTrouble: (message) => heard.push(message),
    });
    await expect(connecting).rejects.toMatchObject({
      code: "forbidden",
      message: `${nats.url} refuses the user fnbus: check NATS_USER and NATS_PASSWORD`,
    });
    expect(heard).toEqual([`${nats.url} refuses the user fnbus: check NATS_USER and NATS_PASSWORD; trying again`]);
    await expect(connectBus({ servers: nats.url, name: "suite", connectTimeoutMs: 500 })).rejects.toThrow(
      "refuses a connection without a user",
    );
    await nats.stop();
  });
  it("does not let publish somewhere fails a request there at once, and says to whom", async () => {
    const nats = await startNats({ user: { ...user, mayPublish: ["allowed", "_INBOX_suite.>", "$JS.API.>"] } });
    const heard: string[] = [];
    const bus = await connectBus({
      servers: nats.url,
      name: "suite",
      user: user.name,
      password: user.password,
      onTrouble: (message) => heard.push(message),
    });
    bus.subscribe("allowed", (message) => message.respond(message.data));
    const asked = [bus.request("denied", bytes("x"), { timeoutMs: 10_000 }), bus.append("denied", bytes("x"))];
    for (const one of await Promise.allSettled(asked))
      expect(one).toMatchObject({ reason: { code: "forbidden", message: "this user may not publish to denied" } });
    expect(heard).toEqual([expect.stringMatching(/^the user fnbus is not allowed: .*Publish to "denied"/)]);
    await bus.request("allowed", bytes("x"), { timeoutMs: 1_000 });
    await bus.drain();
    await nats.stop();
  });
  it("is not there at first is waited for, and that is told", async () => {
    const first = await startNats({ user });
    await first.kill();
    const heard: string[] = [];
    const connecting = connectBus({
      servers: first.url,
      name: "suite",
      user: user.name,
      password: user.password,
      onTrouble: (message) => heard.push(message),
    });
    await until("told", () => heard.length > 0);
    expect(heard[0]).toMatch(/^cannot connect to nats:\/\/127\.0\.0\.1:\d+: .+; trying again$/);
    await first.restart();
    const bus = await connecting;
    bus.publish("any", bytes("x"));
    await bus.drain();
    await first.stop();
  });
  it("refuses credentials on a reconnect is told of, and taken back when it lets in again", async () => {
    const nats = await startNats({ user });
    const heard: string[] = [];
    const bus = await connectBus({
      servers: nats.url,
      name: "suite",
      user: user.name,
      password: user.password,
      onTrouble: (message) => heard.push(message),
    });
    const { port, dataDir } = nats;
    await nats.kill();
    const other = await startNats({ port, dataDir, user: { ...user, password: "another" } });
    await until("told", () => heard.some((message) => message.includes("refuses the user fnbus")));
    expect(bus.isConnected()).toBe(false);
    await other.kill();
    const again = await startNats({ port, dataDir, user });
    await until("connected again", () => bus.isConnected());
    await bus.drain();
    await again.stop();
    await nats.stop();
  });
});
