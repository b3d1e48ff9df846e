import type { EnvelopePlace } from "@fnbus/contract";

/** Frames of unfinished invocations by their place in INVOCATIONS, so that handing out needs no second read (L28). */
export interface FrameCache {
  /** Copies the frame: a slice would pin its whole pack. */
  add(sequence: number, index: number, frame: Uint8Array): void;
  get(place: EnvelopePlace): Buffer | undefined;
  delete(sequence: number, index: number): void;
  readonly bytes: number;
}

/** More than a pack has entries. */
const INDEX_SPAN = 1024;

/** When full, what came first goes: a long backlog is read back by whole packs, one read for many frames. */
export function createFrameCache(maxBytes: number): FrameCache {
  const frames = new Map<number, Buffer>();
  let bytes = 0;
  const remove = (key: number) => {
    const frame = frames.get(key);
    if (!frame) return;
    frames.delete(key);
    bytes -= frame.length;
  };
  return {
    add(sequence, index, frame) {
      const key = sequence * INDEX_SPAN + index;
      remove(key);
      frames.set(key, Buffer.from(frame));
      bytes += frame.length;
      for (const oldest of frames.keys()) {
        if (bytes <= maxBytes) break;
        remove(oldest);
      }
    },
    get: ({ stream, sequence, index }) =>
      stream === "invocations" ? frames.get(sequence * INDEX_SPAN + index) : undefined,
    delete: (sequence, index) => remove(sequence * INDEX_SPAN + index),
    get bytes() {
      return bytes;
    },
  };
}
