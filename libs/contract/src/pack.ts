import { FnbusError } from "./errors.ts";
import { decodeFrameHead, type FrameHead } from "./frame.ts";

/**
 * Two kinds of pack, one message on the bus each.
 *
 * An **invocation pack** is frames (frame.ts) one after the other behind "FNI1" and a u32 count. Publishers write it,
 * the ledger reads the fixed parts and passes frames on as bytes.
 *
 * An **entry pack** is a JSON head and entries of JSON and raw bytes, behind "FNE1": u32 count, u32 head bytes, head,
 * then for each entry u32 JSON bytes, u32 body bytes, JSON, body. Outcomes, records, results and work use it.
 */
const INVOCATIONS_MAGIC = 0x31494e46;
const ENTRIES_MAGIC = 0x31454e46;
export const PACK_HEAD_BYTES = 8;
const EMPTY = new Uint8Array(0);

/** Joins frames to one invocation pack. */
export function encodeInvocationPack(frames: readonly Uint8Array[]): Buffer {
  const head = Buffer.allocUnsafe(PACK_HEAD_BYTES);
  head.writeUInt32LE(INVOCATIONS_MAGIC, 0);
  head.writeUInt32LE(frames.length, 4);
  return Buffer.concat([head, ...frames]);
}

/** The fixed parts of a pack's frames, in order. Throws `envelope_invalid` for anything that is not a whole pack. */
export function decodeInvocationPack(bytes: Uint8Array): FrameHead[] {
  const buffer = toBuffer(bytes);
  if (buffer.length < PACK_HEAD_BYTES || buffer.readUInt32LE(0) !== INVOCATIONS_MAGIC) {
    throw new FnbusError("envelope_invalid", "not an invocation pack");
  }
  const count = buffer.readUInt32LE(4);
  const heads: FrameHead[] = [];
  let offset = PACK_HEAD_BYTES;
  for (let index = 0; index < count; index++) {
    const head = decodeFrameHead(buffer, offset);
    heads.push(head);
    offset += head.bytes;
  }
  if (offset !== buffer.length) throw new FnbusError("envelope_invalid", "bytes behind the last frame");
  return heads;
}

export interface Entry<M> {
  meta: M;
  body: Uint8Array;
}

/** Joins a head and entries to one entry pack. */
export function encodeEntryPack<H, M>(head: H, entries: readonly { meta: M; body?: Uint8Array }[]): Buffer {
  const headJson = Buffer.from(JSON.stringify(head), "utf8");
  const parts: Uint8Array[] = [];
  const start = Buffer.allocUnsafe(12);
  start.writeUInt32LE(ENTRIES_MAGIC, 0);
  start.writeUInt32LE(entries.length, 4);
  start.writeUInt32LE(headJson.length, 8);
  parts.push(start, headJson);
  for (const entry of entries) {
    const json = Buffer.from(JSON.stringify(entry.meta), "utf8");
    const body = entry.body ?? EMPTY;
    const lengths = Buffer.allocUnsafe(8);
    lengths.writeUInt32LE(json.length, 0);
    lengths.writeUInt32LE(body.length, 4);
    parts.push(lengths, json, body);
  }
  return Buffer.concat(parts);
}

/** Takes an entry pack apart. Bodies are views of the buffer. Throws `envelope_invalid`. */
export function decodeEntryPack<H, M>(bytes: Uint8Array): { head: H; entries: Entry<M>[] } {
  const buffer = toBuffer(bytes);
  if (buffer.length < 12 || buffer.readUInt32LE(0) !== ENTRIES_MAGIC)
    throw new FnbusError("envelope_invalid", "not an entry pack");
  const count = buffer.readUInt32LE(4);
  const headBytes = buffer.readUInt32LE(8);
  try {
    const head = parseObject<H>(buffer.toString("utf8", 12, 12 + headBytes));
    const entries: Entry<M>[] = [];
    let offset = 12 + headBytes;
    for (let index = 0; index < count; index++) {
      const jsonBytes = buffer.readUInt32LE(offset);
      const bodyBytes = buffer.readUInt32LE(offset + 4);
      const bodyStart = offset + 8 + jsonBytes;
      if (bodyStart + bodyBytes > buffer.length) throw new RangeError("entry longer than its pack");
      const meta = parseObject<M>(buffer.toString("utf8", offset + 8, bodyStart));
      entries.push({ meta, body: buffer.subarray(bodyStart, bodyStart + bodyBytes) });
      offset = bodyStart + bodyBytes;
    }
    if (offset !== buffer.length) throw new RangeError("bytes behind the last entry");
    return { head, entries };
  } catch (error) {
    throw new FnbusError("envelope_invalid", `entry pack is damaged: ${(error as Error).message}`);
  }
}

/** Readers ask for fields at once: a head that is null or a number is a damaged pack, not a fault of theirs. */
function parseObject<T>(json: string): T {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null) throw new TypeError("a head that is not an object");
  return value as T;
}

const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
