import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  decodeEntryPack,
  decodeFrame,
  decodeInvocationPack,
  encodeEntryPack,
  encodeFrame,
  encodeInvocationPack,
  frameFlags,
} from "../src/index.ts";
import { envelopes, outcomes, waitingTick } from "./golden/content.ts";

const read = (name: string): Buffer =>
  Buffer.from(readFileSync(new URL(`golden/${name}.hex`, import.meta.url), "utf8").replaceAll("\n", ""), "hex");

describe("what was stored under version 1 decodes for ever", () => {
  it("a frame, with its fixed part, metadata and body", () => {
    const { head, meta, body } = decodeFrame(read("frame-v1"));
    const { envelope } = envelopes[0]!;
    expect(meta).toEqual(envelope.meta);
    expect(Buffer.from(body).toString()).toBe('{"sku":"äöü"}');
    expect(head).toEqual({
      offset: 0,
      bytes: 730,
      flags: frameFlags.verdict | frameFlags.keyed | frameFlags.callback,
      partition: 3,
      id: "0199f2c4-5a00-8111-9222-333344445555",
      registryId: "0199f2c4-0000-7abc-8def-0123456789ab",
      revision: 42,
      priority: 7,
      overlap: "allow",
      delayMs: 1500,
      ttlMs: 3_600_000,
      orderingKeyHash: 0xdeadbeef,
      metaBytes: 594,
      bodyBytes: 16,
      bodyHash: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
      source: "",
      first: 0,
      last: 0,
    });
  });
  it("a tick with its overlap policy", () => {
    const { head, meta, body } = decodeFrame(read("frame-overlap-v1"));
    expect(head).toMatchObject({
      overlap: "queue-one",
      flags: frameFlags.tick | frameFlags.counting | frameFlags.event | frameFlags.verdict,
    });
    expect(meta).toEqual(waitingTick.envelope.meta);
    expect(Buffer.from(body).toString()).toBe("{}");
  });
  it("a pack of an HTTP call, a tick and an object's event", () => {
    const pack = read("invocation-pack-v1");
    const heads = decodeInvocationPack(pack);
    expect(heads.map(({ offset }) => decodeFrame(pack, offset).meta)).toEqual(
      envelopes.map(({ envelope }) => envelope.meta),
    );
    expect(heads[1]).toMatchObject({
      flags: frameFlags.counting | frameFlags.tick | frameFlags.event,
      source: "00112233445566778899aabbccddeeff",
      first: 1_790_000_000_000,
      last: 1_790_000_060_000,
      bodyHash: "0".repeat(32),
    });
    expect(heads[2]).toMatchObject({ flags: frameFlags.named | frameFlags.event, partition: 65_535 });
  });
  it("a pack of outcomes", () => {
    const { head, entries } = decodeEntryPack(read("entry-pack-v1"));
    expect(head).toEqual(outcomes.head);
    expect(entries.map(({ meta, body }) => ({ meta, body: [...body] }))).toEqual(
      outcomes.entries.map(({ meta, body }) => ({ meta, body: [...body] })),
    );
  });
  it("and is still written byte for byte alike, so that older releases read what this one writes", () => {
    const frames = envelopes.map(({ envelope, options }) => encodeFrame(envelope, options));
    expect(frames[0]!.equals(read("frame-v1"))).toBe(true);
    const tick = encodeFrame(waitingTick.envelope, waitingTick.options);
    expect(tick.equals(read("frame-overlap-v1"))).toBe(true);
    expect(encodeInvocationPack(frames).equals(read("invocation-pack-v1"))).toBe(true);
    expect(encodeEntryPack(outcomes.head, outcomes.entries).equals(read("entry-pack-v1"))).toBe(true);
  });
});

describe("what another release stored", () => {
  it("keeps metadata that is not known here", () => {
    const { envelope } = envelopes[0]!;
    const later = { ...envelope, meta: { ...envelope.meta, colour: "blue" } };
    expect(decodeFrame(encodeFrame(later)).meta).toEqual(later.meta);
  });
  it("runs a tick whose overlap policy is not known here beside the others", () => {
    const frame = read("frame-overlap-v1");
    frame[45] = 9;
    expect(decodeFrame(frame).head.overlap).toBe("allow");
  });
  it.each([
    ["the fixed part", (frame: Buffer) => frame.fill(2, 4, 5)],
    ["the metadata", (frame: Buffer) => frame.fill("2", frame.indexOf('"v":1') + 4, frame.indexOf('"v":1') + 5)],
  ])("is refused by its code where %s has an unknown version", (_where, change) => {
    const frame = read("frame-v1");
    change(frame);
    expect(() => decodeFrame(frame)).toThrowError(expect.objectContaining({ code: "envelope_version" }));
  });
});
