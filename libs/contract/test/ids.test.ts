import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createId,
  deriveId,
  fromUlid,
  isId,
  isName,
  readId,
  toId,
  toIdBytes,
  toSourceHash,
  toUlid,
  writeId,
} from "../src/index.ts";

const REGISTRY_ID = "0199f2c4-0000-7abc-8def-0123456789ab";
const INCARNATION = "0199f2c4-0009-7abc-8def-0123456789ab";
const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const VERSION_8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("a new id", () => {
  it("is a UUIDv7 that carries its time (RFC 9562 section 5.7)", () => {
    // The time of RFC 9562 appendix A.6's example.
    const id = createId(0x017f22e279b0);
    expect(id).toMatch(VERSION_7);
    expect(id.slice(0, 13)).toBe("017f22e2-79b0");
  });
  it("sorts behind every id of an earlier millisecond, as text", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 46), fc.integer({ min: 1, max: 2 ** 46 }), (now, later) => {
        expect(createId(now) < createId(now + later)).toBe(true);
      }),
    );
  });
  it("of one millisecond and process sort as they were made", () => {
    const ids = Array.from({ length: 2_000 }, () => createId(1_790_000_000_001));
    expect(ids.toSorted()).toEqual(ids);
  });

  it("is never given twice, over many fillings of the pool of random bytes", () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => createId(1_790_000_000_000)));
    expect(ids.size).toBe(10_000);
  });
  it("is the same as text and as bytes", () => {
    const id = createId();
    expect(isId(id)).toBe(true);
    expect(toId(toIdBytes(id))).toBe(id);
    const buffer = Buffer.alloc(18, 0xff);
    writeId(buffer, id, 1);
    expect([readId(buffer, 1), buffer[0], buffer[17]]).toEqual([id, 0xff, 0xff]);
  });
});

// The constants were computed by another program from L9's and L10's words: an id that changes breaks I2 over an update.
describe("L9: a derived id is the same for ever", () => {
  it("of an idempotency key", () => {
    expect(deriveId("key", "default", REGISTRY_ID, "clé-1")).toBe("607c991c-2c8f-895e-9f72-a4fe5325309d");
  });
  it("of a named event", () => {
    const id = deriveId("event", INCARNATION, REGISTRY_ID, "bucket/object#1");
    expect(id).toBe("912f3391-e193-882e-8180-712befd356f2");
  });
  it("of a redrive", () => {
    const id = deriveId("redrive", "0199f2c4-5a00-8111-9222-333344445555", "1");
    expect(id).toBe("7b2466cf-5408-86da-9c37-077a8d37e237");
  });
  it("L10: of a counting source", () => {
    const hash = toSourceHash(INCARNATION, REGISTRY_ID, "topic/0").toString("hex");
    expect(hash).toBe("65a302dab3fa1f7b6d8f3897cb4e74ed");
  });
  it("is a UUIDv8, and another for parts that are only joined alike", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.string(), fc.string(), (a, b, c) => {
        const id = deriveId("key", a + b, c);
        expect(id).toMatch(VERSION_8);
        expect(id).not.toBe(deriveId("key", b, a + c));
        expect(id).not.toBe(deriveId("event", a + b, c));
      }),
    );
  });
});

describe("a ULID", () => {
  it.each([
    ["01563e3a-b5d3-d676-4c61-efb99302bd5b", "01ARZ3NDEKTSV4RRFFQ69G5FAV"],
    ["00000000-0000-0000-0000-000000000000", "00000000000000000000000000"],
    ["ffffffff-ffff-ffff-ffff-ffffffffffff", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"],
  ])("of %s is %s", (id, ulid) => {
    expect(toUlid(id)).toBe(ulid);
    expect(fromUlid(ulid.toLowerCase())).toBe(id);
  });
  it.each(["", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0000000000000000000000000U", "0".repeat(27)])("is not %s", (text) =>
    expect(fromUlid(text)).toBeUndefined(),
  );
  it("sorts as its id does", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 46), fc.nat(2 ** 46), (one, other) => {
        const [a, b] = [createId(one), createId(other)];
        expect(toUlid(a) < toUlid(b)).toBe(a < b);
      }),
    );
  });
});

describe("a name of a space or function", () => {
  it.each(["a", "0", "stock", "a-b-c", "a".repeat(63)])("may be %s", (name) => expect(isName(name)).toBe(true));
  it.each(["", "-a", "a-", "A", "a.b", "a b", "a>", "*", "a_b", "ä", "a\n", "a".repeat(64), "../a"])(
    "may not be %j: it becomes a subject's token and a path",
    (name) => expect(isName(name)).toBe(false),
  );
});
