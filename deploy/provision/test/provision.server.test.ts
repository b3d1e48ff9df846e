import type { Bus } from "@fnbus/bus";
import { createKeyText, hashSecret, parseKeyText } from "@fnbus/contract";
import { createAccess, createRegistry } from "@fnbus/registry";
import { assertSilence, connectTestBus, type NatsServer, type Silence, startNats } from "@fnbus/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProvision } from "../src/app.ts";
import { provisionPlatform } from "../src/index.ts";

const options = { partitions: 2, replicas: 1 };

describe("provisioning", () => {
  let nats: NatsServer;
  let bus: Bus;
  let silence: Silence;
  beforeEach(async () => {
    silence = assertSilence();
    nats = await startNats({ maxFileStore: "20GB" });
    bus = await connectTestBus(nats);
  });
  afterEach(async () => {
    await bus.drain();
    await nats.stop();
    silence.assert();
  });
  const keys = async () => {
    const access = await createAccess(bus);
    access.stop();
    return access.keys();
  };

  it("makes streams, buckets, the default space and one admin key, and a second time changes nothing", async () => {
    const first = await provisionPlatform(bus, options);
    const state = await bus.streamState("INVOCATIONS_1");
    await bus.append("invocations.1", Buffer.from("kept"));
    expect(await provisionPlatform(bus, options)).toEqual({});
    expect(await bus.streamState("INVOCATIONS_1")).toMatchObject({ createdAt: state.createdAt, messages: 1 });
    const registry = await createRegistry(bus);
    expect(registry.space("default")).toBeDefined();
    registry.stop();
    const { id, secret } = parseKeyText(first.adminKey!)!;
    expect(await keys()).toMatchObject([{ id, secretHash: hashSecret(secret), scopes: ["admin"] }]);
  });
  it("is harmless when two do it at once", async () => {
    const other = await connectTestBus(nats, "other");
    await Promise.all([provisionPlatform(bus, options), provisionPlatform(other, options)]);
    expect(await provisionPlatform(bus, options)).toEqual({});
    await other.drain();
  });
  it("installs a key that is given, once, and makes none beside it", async () => {
    const { id, text } = createKeyText();
    expect(await provisionPlatform(bus, { ...options, adminKey: text })).toEqual({});
    const installed = await keys();
    expect(installed.map((key) => key.id)).toEqual([id]);
    await provisionPlatform(bus, { ...options, adminKey: text });
    await provisionPlatform(bus, options);
    expect(await keys()).toEqual(installed);
  });
  it("leaves a given key revoked that was revoked", async () => {
    const { id, text } = createKeyText();
    await provisionPlatform(bus, { ...options, adminKey: text });
    const access = await createAccess(bus);
    await access.putKey({ ...access.keyById(id)!, revokedAt: 1 });
    access.stop();
    await provisionPlatform(bus, { ...options, adminKey: text });
    expect((await keys())[0]).toMatchObject({ id, revokedAt: 1 });
  });
  it("makes another admin key where the last was revoked: nobody is locked out", async () => {
    const first = await provisionPlatform(bus, options);
    const { id } = parseKeyText(first.adminKey!)!;
    const access = await createAccess(bus);
    await access.putKey({ ...access.keyById(id)!, revokedAt: 1 });
    access.stop();
    expect((await provisionPlatform(bus, options)).adminKey).toMatch(/^fnb_/);
  });
  it("refuses a key of another form, without showing it", async () => {
    const work = provisionPlatform(bus, { ...options, adminKey: "hunter2" });
    await expect(work).rejects.toMatchObject({ code: "invalid_request" });
    await expect(work).rejects.not.toThrow("hunter2");
  });
  it("brings sizes up to date, and names a setting that it may not change", async () => {
    await provisionPlatform(bus, options);
    await provisionPlatform(bus, { ...options, sizes: { invocations: 64 * 1024 * 1024 } });
    expect((await bus.streamState("INVOCATIONS_0")).maxBytes).toBe(64 * 1024 * 1024);
    const foreign = await startNats();
    const foreignBus = await connectTestBus(foreign);
    await foreignBus.provision({
      streams: [{ name: "OUTCOMES_0", subjects: ["outcomes.0"], maxBytes: 1e6, discard: "old", replicas: 1 }],
      keyValues: [],
      objects: [],
    });
    await expect(provisionPlatform(foreignBus, options)).rejects.toThrow(
      /OUTCOMES_0: discard is "old", expected "new"/,
    );
    await foreignBus.drain();
    await foreign.stop();
  });
  it("as a program prints the key that it made, and with a given one prints none", async () => {
    const made = await runProvision({ NATS_URL: nats.url });
    expect(parseKeyText(made.split(" ").at(-1)!)).toBeDefined();
    expect(await runProvision({ NATS_URL: nats.url })).toBe("provisioned");
    const { text } = createKeyText();
    expect(await runProvision({ NATS_URL: nats.url, FNBUS_ADMIN_KEY: text })).toBe("provisioned");
    await expect(runProvision({ NATS_URL: nats.url, FNBUS_PARTITIONS: "0" })).rejects.toThrow("FNBUS_PARTITIONS");
  });
});
