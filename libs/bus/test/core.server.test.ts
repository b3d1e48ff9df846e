import { assertSilence, type Silence, until } from "@fnbus/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Bench, bytes, serverBinaries, startBench, stream, text } from "./servers.ts";

describe.each(serverBinaries)("messages and appends on %s", (binary) => {
  let bench: Bench;
  let silence: Silence;
  beforeAll(async () => {
    bench = await startBench(binary);
  });
  afterAll(() => bench.stop());
  beforeEach(() => {
    silence = assertSilence();
  });
  afterEach(() => silence.assert());

  it("answers a request with data and headers", async () => {
    const { bus } = bench;
    const subscription = bus.subscribe("echo", (message) =>
      message.respond(message.data, { Kind: message.header("Kind")! }),
    );
    const answer = await bus.request("echo", bytes("hello"), { timeoutMs: 1_000, headers: { Kind: "blue" } });
    expect([text(answer.data), answer.header("Kind"), answer.header("Other")]).toEqual(["hello", "blue", undefined]);
    subscription.unsubscribe();
  });
  it("tells at once that nobody listens", async () => {
    await expect(bench.bus.request("nobody", bytes(""), { timeoutMs: 5_000 })).rejects.toMatchObject({
      code: "no_responders",
    });
  });
  it("times out soon after the time that was given, not before", async () => {
    const subscription = bench.bus.subscribe("silent", () => {});
    const began = performance.now();
    await expect(bench.bus.request("silent", bytes(""), { timeoutMs: 200 })).rejects.toMatchObject({ code: "timeout" });
    const took = performance.now() - began;
    expect(took).toBeGreaterThanOrEqual(200);
    expect(took).toBeLessThan(600);
    subscription.unsubscribe();
  });
  it("ends a request with the reason of its signal", async () => {
    const subscription = bench.bus.subscribe("silent", () => {});
    const abort = new AbortController();
    const asked = bench.bus.request("silent", bytes(""), { timeoutMs: 5_000, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    subscription.unsubscribe();
  });
  it("refuses a message over max_payload before sending it", () => {
    expect(() => bench.bus.publish("big", new Uint8Array(bench.bus.maxPayload + 1))).toThrowError(
      expect.objectContaining({ code: "too_large" }),
    );
  });
  it("refuses an append behind another's (the fence, L20), also after the broker was killed", async () => {
    const { bus, nats } = bench;
    await bus.provision({ streams: [stream("FENCED", "fenced")], keyValues: [], objects: [] });
    const first = await bus.append("fenced", bytes("1"), { expectedLastSubjectSequence: 0 });
    const stale = () => bus.append("fenced", bytes("2"), { expectedLastSubjectSequence: 0 });
    await expect(stale()).rejects.toMatchObject({ code: "wrong_sequence", lastSequence: first.sequence });
    await nats.restart();
    await until("connected again", () => bus.isConnected());
    await expect(stale()).rejects.toMatchObject({ code: "wrong_sequence", lastSequence: first.sequence });
    await bus.append("fenced", bytes("2"), { expectedLastSubjectSequence: first.sequence });
    expect(text((await bus.readLast("FENCED", "fenced"))?.data)).toBe("2");
  });
  it("says that a stream is full, and evicts nothing (L1)", async () => {
    const { bus } = bench;
    await bus.provision({ streams: [stream("SMALL", "small", 100_000)], keyValues: [], objects: [] });
    let stored = 0;
    const fill = async () => {
      for (;;) {
        await bus.append("small", new Uint8Array(10_000));
        stored++;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "full" });
    expect((await bus.streamState("SMALL")).messages).toBe(stored);
    await bus.trim("SMALL", stored);
    await bus.append("small", new Uint8Array(10_000));
  });
  it("says not stored where no stream takes the subject", async () => {
    await expect(bench.bus.append("no.stream", bytes("x"))).rejects.toMatchObject({ code: "not_stored" });
  });
  it("changes a stream's size, and names another setting that differs", async () => {
    const { bus } = bench;
    const provision = (subject: string, size: number) =>
      bus.provision({ streams: [stream("SIZED", subject, size)], keyValues: [], objects: [] });
    await provision("sized", 1_000_000);
    await provision("sized", 2_000_000);
    expect((await bus.streamState("SIZED")).maxBytes).toBe(2_000_000);
    await expect(provision("other", 2_000_000)).rejects.toThrow(/SIZED: subjects is \["sized"\], expected \["other"\]/);
  });
});
