import { createHash, randomBytes } from "node:crypto";

/** Names of spaces and functions. They become NATS subject tokens and paths, so nothing else may stand in them. */
export const NAME_PATTERN = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
const name = new RegExp(NAME_PATTERN);
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isName = (value: string): boolean => name.test(value);
export const isId = (value: string): boolean => uuid.test(value);

/** The 16 bytes of a UUID as its usual lower-case text. */
export const toId = (bytes: Uint8Array): string => readId(Buffer.from(bytes.buffer, bytes.byteOffset, 16), 0);

/** The same of the 16 bytes at `offset`. */
export function readId(buffer: Buffer, offset: number): string {
  const hex = buffer.toString("hex", offset, offset + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes of a UUID's text. The caller has checked the text with `isId`. */
export const toIdBytes = (id: string): Buffer => Buffer.from(id.replaceAll("-", ""), "hex");

const DASH = 45;
/** A hex digit's value by its character. */
const nibbles = Uint8Array.from({ length: 128 }, (_, code) => Number.parseInt(String.fromCharCode(code), 16) || 0);

/** Writes the 16 bytes of a UUID's text, checked as above, at `offset`. By hand: a tenth of what decoding hex text costs. */
export function writeId(buffer: Buffer, id: string, offset: number): void {
  let to = offset;
  for (let at = 0; at < id.length; at += 2) {
    if (id.charCodeAt(at) === DASH) at++;
    buffer[to++] = (nibbles[id.charCodeAt(at)]! << 4) | nibbles[id.charCodeAt(at + 1)]!;
  }
}

const POOL_BYTES = 16 * 256;
let pool = Buffer.alloc(0);
let used = 0;
/** Ids of one millisecond count up from a random number below half of what the 12 bits hold. */
const MAX_COUNT = 0xfff;
let lastMs = 0;
let count = 0;

/**
 * A new UUIDv7 (RFC 9562 section 5.7): 48 bits of time in milliseconds, 12 that count (section 6.2, method 1), then
 * random bits. Those of one process sort as they were made.
 */
export function createId(nowMs: number = Date.now()): string {
  if (used >= pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  const bytes = pool.subarray(used, used + 16);
  used += 16;
  bytes.writeUIntBE(nowMs, 0, 6);
  count = nowMs === lastMs ? Math.min(count + 1, MAX_COUNT) : bytes.readUInt16BE(6) & (MAX_COUNT >> 1);
  lastMs = nowMs;
  bytes.writeUInt16BE(0x7000 | count, 6);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return toId(bytes);
}

/** Length-prefixed parts, so that ("ab","c") and ("a","bc") hash differently. */
function digestOf(parts: readonly string[]): Buffer {
  const hash = createHash("sha256");
  const length = Buffer.alloc(4);
  for (const part of parts) {
    const bytes = Buffer.from(part, "utf8");
    length.writeUInt32LE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest();
}

/**
 * A derived id (UUIDv8, RFC 9562 section 5.8): the same parts are the same id for ever (LEDGER.md L9).
 * Parts of a keyed call: "key", space, function's registry id, key. Of a named event: "event", trigger incarnation,
 * function's registry id, event name. Of a redrive (L12): "redrive", id, n.
 */
export function deriveId(kind: "key" | "event" | "redrive", ...parts: string[]): string {
  const bytes = digestOf([kind, ...parts]).subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return toId(bytes);
}

/** 16 bytes that name a counting source (LEDGER.md L10): incarnation, function's registry id, what counts. */
export const toSourceHash = (incarnation: string, registryId: string, counts: string): Buffer =>
  digestOf(["source", incarnation, registryId, counts]).subarray(0, 16);

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The same 128 bits as a ULID, the form that SmartWorks' API shows (wire-compatibility.md 7.2). */
export function toUlid(id: string): string {
  let value = BigInt(`0x${id.replaceAll("-", "")}`);
  let text = "";
  for (let digit = 0; digit < 26; digit++) {
    text = CROCKFORD[Number(value & 31n)] + text;
    value >>= 5n;
  }
  return text;
}

/** A ULID's 128 bits as the text of our ids. undefined: no ULID. */
export function fromUlid(text: string): string | undefined {
  const upper = text.toUpperCase();
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(upper)) return undefined;
  let value = 0n;
  for (const digit of upper) value = (value << 5n) | BigInt(CROCKFORD.indexOf(digit));
  return toId(Buffer.from(value.toString(16).padStart(32, "0"), "hex"));
}
