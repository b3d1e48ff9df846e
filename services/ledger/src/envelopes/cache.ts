import type { EnvelopePlace, FrameHead } from "@fnbus/contract";

/** Packs with unfinished invocations by their place in INVOCATIONS, so that handing out needs no second read (L28). */
export interface FrameCache {
  /** Copies the pack: what was read stands in a larger buffer. */
  add(sequence: number, pack: Uint8Array, frames: readonly Pick<FrameHead, "offset" | "bytes">[]): void;
  get(place: EnvelopePlace): Buffer | undefined;
  delete(sequence: number, index: number): void;
  /** A pack counts whole until the last of its frames is deleted: a slice pins it. */
  readonly bytes: number;
}

interface HeldPack {
  bytes: Buffer;
  /** Offset and bytes of each frame; of one that was deleted, no bytes. */
  frames: Uint32Array;
  left: number;
}

/**
 * When full, what came first goes: a long backlog is read back by whole packs, one read for many frames. Sequences only
 * grow, so the first is found by counting: asking a Map for its first key walks over all that was deleted before it. A copy of
 * each frame instead of the pack would be a third of the ledger's time an accept, spent on the collection of garbage.
 */
export function createFrameCache(maxBytes: number): FrameCache {
  const packs = new Map<number, HeldPack>();
  /** No pack below it is held. */
  let oldest = 0;
  let bytes = 0;
  const drop = (sequence: number) => {
    bytes -= packs.get(sequence)?.bytes.length ?? 0;
    packs.delete(sequence);
  };
  return {
    add(sequence, pack, heads) {
      drop(sequence);
      if (heads.length === 0) return;
      const frames = new Uint32Array(2 * heads.length);
      for (const [index, head] of heads.entries()) frames.set([head.offset, head.bytes], 2 * index);
      oldest = packs.size === 0 ? sequence : Math.min(oldest, sequence);
      packs.set(sequence, { bytes: Buffer.from(pack), frames, left: heads.length });
      bytes += pack.length;
      while (bytes > maxBytes) drop(oldest++);
    },
    get({ stream, sequence, index }) {
      const pack = stream === "invocations" ? packs.get(sequence) : undefined;
      const length = pack?.frames[2 * index + 1];
      return length ? pack!.bytes.subarray(pack!.frames[2 * index]!, pack!.frames[2 * index]! + length) : undefined;
    },
    delete(sequence, index) {
      const pack = packs.get(sequence);
      if (!pack?.frames[2 * index + 1]) return;
      pack.frames[2 * index + 1] = 0;
      if (--pack.left === 0) drop(sequence);
    },
    get bytes() {
      return bytes;
    },
  };
}
