import type { EnvelopePlace } from "@fnbus/contract";

/** Frames of unfinished invocations by their place in INVOCATIONS, so that handing out needs no second read (L28). */
export interface FrameCache {
  /** Copies the frame: a slice would pin its whole pack. */
  add(sequence: number, index: number, frame: Uint8Array): void;
  get(place: EnvelopePlace): Buffer | undefined;
  delete(sequence: number, index: number): void;
  readonly bytes: number;
}

/**
 * When full, what came first goes: a long backlog is read back by whole packs, one read for many frames. Sequences only
 * grow, so the first is found by counting: asking a Map for its first key walks over all that was deleted before it.
 */
export function createFrameCache(maxBytes: number): FrameCache {
  const packs = new Map<number, Map<number, Buffer>>();
  /** No pack below it is held. */
  let oldest = 0;
  let bytes = 0;
  const remove = (sequence: number, index: number) => {
    const pack = packs.get(sequence);
    const frame = pack?.get(index);
    if (!pack || !frame) return;
    bytes -= frame.length;
    if (pack.size === 1) packs.delete(sequence);
    else pack.delete(index);
  };
  const drop = (sequence: number) => {
    for (const frame of packs.get(sequence)?.values() ?? []) bytes -= frame.length;
    packs.delete(sequence);
  };
  return {
    add(sequence, index, frame) {
      remove(sequence, index);
      oldest = packs.size === 0 ? sequence : Math.min(oldest, sequence);
      const pack = packs.get(sequence);
      if (pack) pack.set(index, Buffer.from(frame));
      else packs.set(sequence, new Map([[index, Buffer.from(frame)]]));
      bytes += frame.length;
      while (bytes > maxBytes) drop(oldest++);
    },
    get: ({ stream, sequence, index }) => (stream === "invocations" ? packs.get(sequence)?.get(index) : undefined),
    delete: remove,
    get bytes() {
      return bytes;
    },
  };
}
