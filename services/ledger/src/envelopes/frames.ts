import type { Bus } from "@fnbus/bus";
import {
  decodeInvocationPack,
  type EnvelopeMeta,
  type EnvelopePlace,
  FnbusError,
  FRAME_FIXED_BYTES,
  type FrameHead,
  parseMeta,
  streams,
} from "@fnbus/contract";
import type { FrameCache } from "./cache.ts";

/** Packs that were read back lately: their other frames are usually the next to be asked for. */
const PACKS_KEPT = 8;

/** Envelopes by their place, from the cache or read back by sequence. */
export interface Frames {
  /** At once where the frame is cached. Throws `envelope_gone`, `envelope_invalid`, and what the bus throws. */
  read(id: string, place: EnvelopePlace): Buffer | Promise<Buffer>;
  cached(place: EnvelopePlace): Buffer | undefined;
}

interface Pack {
  bytes: Buffer;
  heads: FrameHead[];
}

export function createFrames(bus: Bus, partition: number, cache: FrameCache): Frames {
  const packs = new Map<string, Promise<Pack>>();

  async function readPack({ stream, sequence }: EnvelopePlace): Promise<Pack> {
    const name = stream === "parked" ? streams.parked(partition) : streams.invocations(partition);
    const message = await bus.readAt(name, sequence);
    if (!message) throw new FnbusError("envelope_gone", `${name} ${sequence} is not stored`);
    return { bytes: toBuffer(message.data), heads: decodeInvocationPack(message.data) };
  }

  function packAt(place: EnvelopePlace): Promise<Pack> {
    const key = `${place.stream}.${place.sequence}`;
    const known = packs.get(key);
    if (known) return known;
    const read = readPack(place);
    packs.set(key, read);
    read.catch(() => packs.delete(key));
    for (const oldest of packs.keys()) {
      if (packs.size <= PACKS_KEPT) break;
      packs.delete(oldest);
    }
    return read;
  }

  async function readBack(id: string, place: EnvelopePlace): Promise<Buffer> {
    const { bytes, heads } = await packAt(place);
    const head = heads[place.index];
    if (head?.id !== id)
      throw new FnbusError("envelope_invalid", `${place.stream} ${place.sequence} holds another envelope`);
    return bytes.subarray(head.offset, head.offset + head.bytes);
  }

  return { read: (id, place) => cache.get(place) ?? readBack(id, place), cached: cache.get };
}

/** The envelope will never be read: anything else may pass. */
export const isUnreadable = (error: unknown): error is FnbusError =>
  error instanceof FnbusError && ["envelope_gone", "envelope_invalid", "envelope_version"].includes(error.code);

/** The metadata block of a frame. Throws `envelope_invalid`, `envelope_version`. */
export function toMeta(frame: Buffer): EnvelopeMeta {
  const metaBytes = frame.readUInt32LE(60);
  return parseMeta(frame.toString("utf8", FRAME_FIXED_BYTES, FRAME_FIXED_BYTES + metaBytes));
}

const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
