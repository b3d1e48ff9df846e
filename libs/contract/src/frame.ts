import { ENVELOPE_VERSION, type Envelope, type EnvelopeMeta } from "./envelope.ts";
import { FnbusError } from "./errors.ts";
import { readId, writeId } from "./ids.ts";

/**
 * A frame of a pack (LEDGER.md L27): a fixed binary part that the ledger reads alone, then the metadata block (JSON,
 * UTF-8), then the raw body. Little endian.
 *
 *   0 u32 bytes in all        4 u8 version      5 u8 flags        6 u16 partition
 *   8 16B id                 24 16B registry id                  40 u32 revision
 *  44 u8 priority            45 u8 overlap     46 u16 zero   48 u32 delay ms after the message's time stamp
 *  52 u32 time to live ms after it (0: the default)              56 u32 ordering key hash (0: none)
 *  60 u32 metadata bytes     64 u32 body bytes  68 u32 zero
 *  72 16B body hash (keyed and named only)      88 16B source    104 f64 first  112 f64 last position
 */
export const FRAME_FIXED_BYTES = 120;

/** `tick`: positions are times, ms since 1970 (LEDGER.md L10). `callback`: the outcome is to be delivered. */
export const frameFlags = Object.freeze({
  verdict: 1,
  keyed: 2,
  named: 4,
  counting: 8,
  event: 16,
  callback: 32,
  tick: 64,
});

/**
 * What a tick does while an earlier one of its source is unfinished (LEDGER.md L13): runs beside it, is skipped, or
 * waits for its end (one at most). Byte 45 is the place in this list; one that is not known here allows.
 */
const overlaps = ["allow", "skip", "queue-one"] as const;

/** The fixed part, decoded. `offset` and `bytes` say where the whole frame stands in its buffer. */
export interface FrameHead {
  offset: number;
  bytes: number;
  flags: number;
  partition: number;
  id: string;
  registryId: string;
  revision: number;
  priority: number;
  overlap: (typeof overlaps)[number];
  delayMs: number;
  ttlMs: number;
  orderingKeyHash: number;
  metaBytes: number;
  bodyBytes: number;
  /** 32 hex digits, all zero where nothing was hashed. */
  bodyHash: string;
  /** 32 hex digits, "" where the source does not count. */
  source: string;
  first: number;
  last: number;
}

/** What the fixed part needs beyond the metadata. */
export interface FrameOptions {
  verdict?: boolean;
  named?: boolean;
  priority?: number;
  /** Of ticks (a position of cron or timer). Default: allow. */
  overlap?: FrameHead["overlap"];
  delayMs?: number;
  ttlMs?: number;
  orderingKeyHash?: number;
  bodyHash?: Uint8Array;
}

/** One envelope as a frame. */
export function encodeFrame(envelope: Envelope, options: FrameOptions = {}): Buffer {
  const { meta, body } = envelope;
  const json = JSON.stringify(meta);
  const metaBytes = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(FRAME_FIXED_BYTES + metaBytes + body.length);
  frame.fill(0, 0, FRAME_FIXED_BYTES);
  frame.writeUInt32LE(frame.length, 0);
  frame[4] = ENVELOPE_VERSION;
  frame[5] =
    (options.verdict ? frameFlags.verdict : 0) |
    (meta.idempotencyKey !== undefined ? frameFlags.keyed : 0) |
    (options.named ? frameFlags.named : 0) |
    (meta.position ? frameFlags.counting : 0) |
    (meta.kind === "event" ? frameFlags.event : 0) |
    (meta.callbackUrl !== undefined ? frameFlags.callback : 0) |
    (meta.position && (meta.source === "cron" || meta.source === "timer") ? frameFlags.tick : 0);
  frame.writeUInt16LE(meta.partition, 6);
  writeId(frame, meta.id, 8);
  writeId(frame, meta.registryId, 24);
  frame.writeUInt32LE(meta.revision, 40);
  frame[44] = options.priority ?? 0;
  frame[45] = overlaps.indexOf(options.overlap ?? "allow");
  frame.writeUInt32LE(options.delayMs ?? 0, 48);
  frame.writeUInt32LE(options.ttlMs ?? 0, 52);
  frame.writeUInt32LE(options.orderingKeyHash ?? 0, 56);
  frame.writeUInt32LE(metaBytes, 60);
  frame.writeUInt32LE(body.length, 64);
  if (options.bodyHash) frame.set(options.bodyHash.subarray(0, 16), 72);
  if (meta.position) {
    frame.set(Buffer.from(meta.position.source, "hex"), 88);
    frame.writeDoubleLE(meta.position.first, 104);
    frame.writeDoubleLE(meta.position.last, 112);
  }
  frame.write(json, FRAME_FIXED_BYTES);
  frame.set(body, FRAME_FIXED_BYTES + metaBytes);
  return frame;
}

/** Reads the fixed part at `offset`. Throws `envelope_invalid` where lengths do not add up, `envelope_version` where the version is unknown. */
export function decodeFrameHead(buffer: Buffer, offset = 0): FrameHead {
  if (buffer.length - offset < FRAME_FIXED_BYTES)
    throw new FnbusError("envelope_invalid", "frame shorter than its fixed part");
  const bytes = buffer.readUInt32LE(offset);
  const metaBytes = buffer.readUInt32LE(offset + 60);
  const bodyBytes = buffer.readUInt32LE(offset + 64);
  if (bytes !== FRAME_FIXED_BYTES + metaBytes + bodyBytes || offset + bytes > buffer.length) {
    throw new FnbusError("envelope_invalid", "frame lengths do not add up");
  }
  if (buffer[offset + 4] !== ENVELOPE_VERSION) {
    throw new FnbusError("envelope_version", `envelope version ${buffer[offset + 4]} is not known here`);
  }
  const flags = buffer[offset + 5]!;
  const counting = (flags & frameFlags.counting) !== 0;
  return {
    offset,
    bytes,
    flags,
    partition: buffer.readUInt16LE(offset + 6),
    id: readId(buffer, offset + 8),
    registryId: readId(buffer, offset + 24),
    revision: buffer.readUInt32LE(offset + 40),
    priority: buffer[offset + 44]!,
    overlap: overlaps[buffer[offset + 45]!] ?? "allow",
    delayMs: buffer.readUInt32LE(offset + 48),
    ttlMs: buffer.readUInt32LE(offset + 52),
    orderingKeyHash: buffer.readUInt32LE(offset + 56),
    metaBytes,
    bodyBytes,
    bodyHash: buffer.toString("hex", offset + 72, offset + 88),
    source: counting ? buffer.toString("hex", offset + 88, offset + 104) : "",
    first: counting ? buffer.readDoubleLE(offset + 104) : 0,
    last: counting ? buffer.readDoubleLE(offset + 112) : 0,
  };
}

/** The whole envelope of a frame. The body is a view of the buffer, not a copy. */
export function decodeFrame(buffer: Buffer, offset = 0): Envelope & { head: FrameHead } {
  const head = decodeFrameHead(buffer, offset);
  const start = offset + FRAME_FIXED_BYTES;
  const meta = parseMeta(buffer.toString("utf8", start, start + head.metaBytes));
  return { head, meta, body: buffer.subarray(start + head.metaBytes, offset + head.bytes) };
}

/** Parses a metadata block and checks its version. */
export function parseMeta(json: string): EnvelopeMeta {
  let meta: EnvelopeMeta | null;
  try {
    meta = JSON.parse(json);
  } catch {
    throw new FnbusError("envelope_invalid", "metadata block is not JSON");
  }
  if (typeof meta !== "object" || meta === null)
    throw new FnbusError("envelope_invalid", "metadata block is not an object");
  if (meta.v !== ENVELOPE_VERSION)
    throw new FnbusError("envelope_version", `envelope version ${String(meta.v)} is not known here`);
  return meta;
}
