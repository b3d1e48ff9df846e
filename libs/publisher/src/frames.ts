import type { Bus, Packer } from "@fnbus/bus";
import { type Envelope, encodeFrame, FnbusError, type FrameOptions, limits } from "@fnbus/contract";
import type { Bodies } from "./bodies.ts";

/** A frame, and how to give back what was stored beside it when it was not accepted. */
export interface StoredFrame {
  frame: Buffer;
  drop(): void;
}

/** At once where nothing is stored beside the frame. */
export type ToFrame = (envelope: Envelope, options: FrameOptions) => StoredFrame | Promise<StoredFrame>;

/** Frames of one partition that wait or are in flight (I11). */
const MAX_PENDING_FRAMES = 50_000;
const MAX_PENDING_BYTES = 256 * 1024 * 1024;
const nothing = () => {};

/** Envelopes as frames, large bodies in the object store first. Throws `broker_unavailable`, `overloaded`, `store_unavailable`. */
export function createFrames(bus: Bus, bodies: Bodies, packers: readonly Packer[]): ToFrame {
  async function storeBody({ meta, body }: Envelope, options: FrameOptions): Promise<StoredFrame> {
    const bodyReference = await bodies.put(meta.partition, meta.id, body);
    const frame = encodeFrame({ meta: { ...meta, bodyReference }, body: new Uint8Array(0) }, options);
    return { frame, drop: () => bodies.drop(bodyReference) };
  }

  return (envelope, options) => {
    const { meta, body } = envelope;
    const packer = packers[meta.partition];
    if (!packer) throw new FnbusError("internal", undefined, { cause: new Error(`no partition ${meta.partition}`) });
    // Nothing can have been sent yet: a plain refusal, at once, where later nobody could tell (I1).
    if (!bus.isConnected()) throw new FnbusError("broker_unavailable");
    const { frames, bytes } = packer.pending;
    if (frames >= MAX_PENDING_FRAMES || bytes >= MAX_PENDING_BYTES) throw new FnbusError("overloaded");
    if (body.length <= limits.inlineBodyBytes) return { frame: encodeFrame(envelope, options), drop: nothing };
    return storeBody(envelope, options);
  };
}
