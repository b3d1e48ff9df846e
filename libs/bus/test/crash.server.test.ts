import { connectBus, isBusError } from "@fnbus/bus";
import { createId, decodeInvocationPack, encodeFrame } from "@fnbus/contract";
import { assertSilence, type Silence, until } from "@fnbus/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Bench, bytes, serverBinaries, startBench, text } from "./servers.ts";

const frameOf = (id: string) =>
  encodeFrame({
    meta: {
      v: 1,
      id,
      space: "default",
      function: "f",
      qualifier: "latest",
      registryId: createId(),
      revision: 1,
      partition: 0,
      kind: "event",
      source: "http",
      method: "POST",
      path: "/",
      query: "",
      headers: [],
      deadlineMs: 0,
      acceptedAt: Date.now(),
    },
    body: new Uint8Array(512),
  });

describe.each(serverBinaries)("a broker that is killed, on %s", (binary) => {
  let bench: Bench;
  let silence: Silence;
  beforeEach(async () => {
    bench = await startBench(binary);
    silence = assertSilence();
  });
  afterEach(async () => {
    await bench.stop();
    silence.assert();
  });

  it("I1: no frame that was acknowledged is lost, and none is acknowledged under a wrong place", async () => {
    const { bus, nats } = bench;
    const packer = bus.createPacker("log");
    const acknowledged: { id: string; sequence: number; index: number }[] = [];
    let failed = 0;
    let isOver = false;
    const publish = async () => {
      while (!isOver) {
        const id = createId();
        try {
          acknowledged.push({ id, ...(await packer.add(frameOf(id))) });
        } catch (error) {
          if (!isBusError(error, "disconnected", "timeout", "not_stored")) throw error;
          failed++;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    };
    const publishers = Promise.all(Array.from({ length: 64 }, publish));
    for (let kill = 0; kill < 2; kill++) {
      const before = acknowledged.length;
      await until("publishing", () => acknowledged.length > before + 1_000);
      await nats.restart();
      await until("connected again", () => bus.isConnected());
    }
    isOver = true;
    await publishers;
    await packer.close();
    expect(failed).toBeGreaterThan(0);
    const packs = new Map<number, string[]>();
    const { last } = await bus.streamState("LOG");
    const reader = await bus.readLog("LOG", 1, (batch) => {
      for (const message of batch)
        packs.set(
          message.sequence,
          decodeInvocationPack(message.data).map(({ id }) => id),
        );
    });
    await until("all read", () => packs.has(last));
    await reader.stop();
    for (const { id, sequence, index } of acknowledged) expect(packs.get(sequence)?.[index]).toBe(id);
  });
  it("a log is read without a gap and without doubles", async () => {
    const { bus, nats } = bench;
    const read: number[] = [];
    const reader = await bus.readLog("LOG", 1, async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      read.push(...batch.map(({ sequence }) => sequence));
    });
    let isOver = false;
    const write = async () => {
      while (!isOver) await bus.append("log", bytes("x")).catch(() => new Promise((resolve) => setTimeout(resolve, 5)));
    };
    const writers = Promise.all(Array.from({ length: 8 }, write));
    for (let kill = 0; kill < 2; kill++) {
      const before = read.length;
      await until("reading", () => read.length > before + 300);
      await nats.restart();
      await until("connected again", () => bus.isConnected());
    }
    isOver = true;
    await writers;
    const { last } = await bus.streamState("LOG");
    await until("read to the end", () => read.at(-1) === last);
    await reader.stop();
    expect(read).toEqual(Array.from({ length: last }, (_, at) => at + 1));
  });
  it("what is in flight fails with disconnected at once, and nothing is kept meanwhile", async () => {
    const { bus, nats } = bench;
    bus.subscribe("silent", () => {});
    const asked = bus.request("silent", bytes(""), { timeoutMs: 20_000 });
    const failed = expect(asked).rejects.toMatchObject({ code: "disconnected" });
    const began = performance.now();
    await nats.kill();
    await failed;
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(() => bus.publish("silent", bytes("x"))).toThrowError(expect.objectContaining({ code: "disconnected" }));
    await nats.restart();
  });
  it("a watch hears of what was put and removed while it was cut off", async () => {
    const { bus, nats } = bench;
    const keys = await bus.keyValue("KEYS");
    await keys.put("stays", bytes("1"));
    await keys.put("goes", bytes("1"));
    const seen = new Map<string, string | undefined>();
    const watch = await keys.watch(({ key, value }) => seen.set(key, text(value)));
    expect([...seen]).toEqual([
      ["stays", "1"],
      ["goes", "1"],
    ]);
    await nats.restart();
    const other = await connectBus({ servers: nats.url, name: "other", connectTimeoutMs: 5_000 });
    const otherKeys = await other.keyValue("KEYS");
    await otherKeys.delete("goes");
    await otherKeys.put("comes", bytes("2"));
    await until("heard of it", () => seen.get("comes") === "2");
    expect(seen.has("goes") && seen.get("goes")).toBe(undefined);
    watch.stop();
    await other.drain();
  });
  it("a durable reader gets every message again until it is acknowledged", async () => {
    const { bus, nats } = bench;
    const acknowledged = new Set<number>();
    const tries = new Map<number, number>();
    const reader = await bus.readDurable("LOG", "callbacks", { ackWaitMs: 1_000, maxPending: 50 }, (message) => {
      const count = (tries.get(message.sequence) ?? 0) + 1;
      tries.set(message.sequence, count);
      if (count === 1 && message.sequence % 2 === 0) return message.nak(50);
      acknowledged.add(message.sequence);
      message.ack();
    });
    for (let at = 0; at < 100; at++) await bus.append("log", bytes("x"));
    await nats.restart();
    await until("connected again", () => bus.isConnected());
    for (let at = 0; at < 100; at++) await bus.append("log", bytes("x"));
    await until("all acknowledged", () => acknowledged.size === 200, 20_000);
    await reader.stop();
  });
});
