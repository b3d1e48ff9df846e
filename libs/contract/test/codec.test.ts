import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createId,
  decodeAnswer,
  decodeEntryPack,
  decodeFrame,
  decodeInvocationPack,
  decodeQuestion,
  type Envelope,
  encodeAnswer,
  encodeEntryPack,
  encodeFrame,
  encodeInvocationPack,
  encodeQuestion,
  FnbusError,
  PACK_HEAD_BYTES,
  parseMeta,
} from "../src/index.ts";
import { envelopes, outcomes } from "./golden/content.ts";

const ENTRY_HEAD_BYTES = 12;

const readAll = (bytes: Buffer) => {
  for (const head of decodeInvocationPack(bytes)) {
    const { body } = decodeFrame(bytes, head.offset);
    if (body.length !== head.bodyBytes) throw new Error("a body of another length than its head says");
  }
};
const decoders: [string, (bytes: Buffer) => unknown][] = [
  ["decodeFrame", (bytes) => decodeFrame(bytes)],
  ["decodeInvocationPack", readAll],
  ["decodeEntryPack", (bytes) => decodeEntryPack(bytes)],
  ["decodeQuestion", (bytes) => decodeQuestion(bytes)],
  ["decodeAnswer", (bytes) => decodeAnswer(bytes)],
  ["parseMeta", (bytes) => parseMeta(bytes.toString("utf8"))],
];
const pack = encodeInvocationPack(envelopes.map(({ envelope, options }) => encodeFrame(envelope, options)));
const entryPack = encodeEntryPack(outcomes.head, outcomes.entries);

/** Runs a decoder on bytes that may be anything: it gives a value or throws one of ours. */
const decodesOrRefuses = (decode: (bytes: Buffer) => unknown, bytes: Buffer): void => {
  try {
    decode(bytes);
  } catch (error) {
    if (!(error instanceof FnbusError)) throw error;
    expect(["envelope_invalid", "envelope_version"]).toContain(error.code);
  }
};

describe.each(decoders)("%s", (_name, decode) => {
  it("gives a value or an FnbusError for any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => decodesOrRefuses(decode, Buffer.from(bytes))));
  });
  it("gives a value or an FnbusError for any JSON", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const text = Buffer.from(json);
        decodesOrRefuses(decode, text);
        const packed = encodeEntryPack(JSON.parse(json), [{ meta: JSON.parse(json) }]);
        decodesOrRefuses(decode, packed);
      }),
    );
  });
  it("gives a value or an FnbusError for packs with any bits flipped", () => {
    for (const whole of [pack, entryPack, pack.subarray(PACK_HEAD_BYTES)]) {
      const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(7)), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(flips, (places) => {
          const bytes = Buffer.from(whole);
          for (const [at, bit] of places) bytes[at]! ^= 1 << bit;
          decodesOrRefuses(decode, bytes);
        }),
      );
    }
  });
});

describe("a pack that is not whole", () => {
  it("is refused wherever it was cut", () => {
    for (let length = 0; length < pack.length; length++)
      expect(() => decodeInvocationPack(pack.subarray(0, length)), `${length} bytes`).toThrow(FnbusError);
    for (let length = 0; length < entryPack.length; length++)
      expect(() => decodeEntryPack(entryPack.subarray(0, length)), `${length} bytes`).toThrow(FnbusError);
  });
  it("is refused with bytes behind its last frame or entry", () => {
    expect(() => decodeInvocationPack(Buffer.concat([pack, Buffer.from([0])]))).toThrow("behind the last");
    expect(() => decodeEntryPack(Buffer.concat([entryPack, Buffer.from([0])]))).toThrow("behind the last");
  });
  it("is refused at once where it says that it holds four thousand million", () => {
    for (const [whole, decode] of [
      [pack, decodeInvocationPack],
      [entryPack, decodeEntryPack],
    ] as const) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt32LE(0xffffffff, 4);
      expect(() => decode(bytes)).toThrow(FnbusError);
    }
  });
  it.each([null, 1, "text", true])("is refused where its head or an entry's is %j, which has no fields", (head) => {
    expect(() => decodeEntryPack(encodeEntryPack(head, []))).toThrow("not an object");
    expect(() => decodeEntryPack(encodeEntryPack({}, [{ meta: head }]))).toThrow("not an object");
  });
  it("cannot make a frame reach into its neighbour", () => {
    const bytes = Buffer.from(pack);
    bytes.writeUInt32LE(bytes.readUInt32LE(PACK_HEAD_BYTES + 64) + 1, PACK_HEAD_BYTES + 64);
    expect(() => decodeInvocationPack(bytes)).toThrow("lengths do not add up");
    const entries = Buffer.from(entryPack);
    const first = ENTRY_HEAD_BYTES + entries.readUInt32LE(8);
    entries.writeUInt32LE(entries.length, first + 4);
    expect(() => decodeEntryPack(entries)).toThrow("longer than its pack");
  });
});

describe("what is encoded", () => {
  const id = fc.noShrink(fc.nat(2 ** 45).map((now) => createId(now)));
  const envelope: fc.Arbitrary<Envelope> = fc.record({
    meta: fc.record({
      v: fc.constant(1 as const),
      id,
      space: fc.constant("default"),
      function: fc.constant("f"),
      qualifier: fc.constant("latest"),
      registryId: id,
      revision: fc.nat(2 ** 31),
      partition: fc.nat(65_535),
      kind: fc.constantFrom("http" as const, "event" as const),
      source: fc.constant("http" as const),
      method: fc.string(),
      path: fc.string({ unit: "grapheme" }),
      query: fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
      headers: fc.array(fc.tuple(fc.string(), fc.string({ unit: "grapheme" }))),
      deadlineMs: fc.nat(),
      acceptedAt: fc.nat(),
    }),
    body: fc.uint8Array({ maxLength: 2_000 }),
  });

  it("is what is decoded: frames in a pack, in order", () => {
    fc.assert(
      fc.property(fc.array(envelope, { maxLength: 5 }), (sent) => {
        const bytes = encodeInvocationPack(sent.map((one) => encodeFrame(one)));
        const heads = decodeInvocationPack(bytes);
        const got = heads.map(({ offset }) => decodeFrame(bytes, offset));
        expect(got.map(({ meta, body }) => ({ meta, body: [...body] }))).toEqual(
          sent.map(({ meta, body }) => ({ meta, body: [...body] })),
        );
        heads.forEach((head, at) => {
          const { meta } = sent[at]!;
          const { partition, revision, registryId } = meta;
          expect(head).toMatchObject({ id: meta.id, partition, revision, registryId });
        });
      }),
    );
  });
  it("is what is decoded: a head and its entries", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    const entry = fc.record({ meta: object, body: fc.uint8Array({ maxLength: 200 }) });
    fc.assert(
      fc.property(object, fc.array(entry, { maxLength: 5 }), (head, entries) => {
        const got = decodeEntryPack(encodeEntryPack(head, entries));
        // Through JSON once, which knows no -0.
        const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
        expect(got.head).toEqual(plain(head));
        expect(got.entries.map(({ meta, body }) => ({ meta, body: [...body] }))).toEqual(
          entries.map(({ meta, body }) => ({ meta: plain(meta), body: [...body] })),
        );
      }),
    );
  });
  it("is what is decoded: questions and answers, with and without a body", () => {
    const question = { ask: "get", space: "default", id: createId() } as const;
    expect(decodeQuestion(encodeQuestion(question))).toEqual(question);
    const answer = { ok: true, answer: "envelope", n: 2 } as const;
    const body = Uint8Array.from([1, 2, 3]);
    expect(decodeAnswer(encodeAnswer(answer, body))).toEqual({ answer, body: Buffer.from(body) });
    expect(decodeAnswer(encodeAnswer(answer)).body).toHaveLength(0);
  });
});
