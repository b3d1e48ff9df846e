import { type EndState, endStates } from "@fnbus/contract";
import { IdIndex } from "./id-index.ts";
import { readWords, sameWords, type Words, wordsToId } from "./id-words.ts";

export interface KeptIdsOptions {
  /** Names the segments' objects. */
  kind: "keyed" | "recent";
  windowMs: number;
  /** An id belongs to the segment of its end; a whole segment is forgotten at once, never before its last id is due. */
  segmentMs: number;
  withHashes: boolean;
}

interface Segment {
  period: number;
  count: number;
  ids: Words;
  hashes: Words;
  /** ms after the period's begin. */
  endedAfter: Uint32Array;
  states: Uint8Array;
  index: IdIndex;
  /** Object that it was last stored as; "": never. */
  object: string;
}

const HEAD_BYTES = 16;
const NO_WORDS = new Uint32Array(0);

/**
 * Ids that have ended and are still known (L12), with their body hashes where asked, in segments by the time of their
 * end: typed arrays, 45 bytes an id with hash, index included. Whether an id is known is asked for a moment of the
 * broker's time, so that when a replica clears up does not matter (L6).
 */
export class KeptIds {
  readonly options: KeptIdsOptions;
  /** Oldest first. */
  #segments: Segment[] = [];
  #scratch = new Uint32Array(4);
  count = 0;

  constructor(options: KeptIdsOptions) {
    this.options = options;
  }

  add(id: Words, idAt: number, hash: Words | undefined, hashAt: number, endedAt: number, state: EndState): void {
    const segment = this.#segmentAt(Math.floor(endedAt / this.options.segmentMs));
    if (segment.index.find(id, idAt, segment.ids) >= 0) return;
    const place = segment.count++;
    if (place * 4 >= segment.ids.length) grow(segment, this.options.withHashes);
    segment.ids.set(id.subarray(idAt, idAt + 4), place * 4);
    if (hash && this.options.withHashes) segment.hashes.set(hash.subarray(hashAt, hashAt + 4), place * 4);
    segment.endedAfter[place] = endedAt - segment.period * this.options.segmentMs;
    segment.states[place] = endStates.indexOf(state);
    segment.index.add(place, segment.ids);
    this.count++;
  }

  addText(id: string, hash: string, endedAt: number, state: EndState): void {
    this.add(readWords(id, new Uint32Array(4)), 0, readWords(hash, new Uint32Array(4)), 0, endedAt, state);
  }

  /** The newest end of this id that is known at `at`. */
  find(id: string, at: number): { state: EndState; endedAt: number; sameHash(hash: string): boolean } | undefined {
    readWords(id, this.#scratch);
    for (let nth = this.#segments.length - 1; nth >= 0; nth--) {
      const segment = this.#segments[nth]!;
      const place = segment.index.find(this.#scratch, 0, segment.ids);
      if (place < 0) continue;
      const endedAt = segment.period * this.options.segmentMs + segment.endedAfter[place]!;
      if (at >= endedAt + this.options.windowMs) return undefined;
      const { hashes } = segment;
      const sameHash = (hash: string) =>
        !this.options.withHashes || sameWords(hashes, place * 4, readWords(hash, new Uint32Array(4)), 0);
      return { state: endStates[segment.states[place]!]!, endedAt, sameHash };
    }
    return undefined;
  }

  /** Forgets segments whose last id is out of its window at `at`. */
  forget(at: number): void {
    const { segmentMs, windowMs } = this.options;
    while (this.#segments[0] && at >= (this.#segments[0].period + 1) * segmentMs + windowMs) {
      this.count -= this.#segments.shift()!.count;
    }
  }

  /** Every segment as an object: stored ones by name alone, others with their bytes, once (L12). */
  toParts(prefix: string): { object: string; bytes?: Uint8Array }[] {
    return this.#segments.map((segment) => {
      const object = this.#nameOf(segment, prefix);
      return segment.object === object ? { object } : { object, bytes: encode(segment, this.options.withHashes) };
    });
  }

  /** These objects are stored: what has not grown since is not stored again. */
  stored(prefix: string, objects: ReadonlySet<string>): void {
    for (const segment of this.#segments) {
      const object = this.#nameOf(segment, prefix);
      if (objects.has(object)) segment.object = object;
    }
  }

  /** Segments only grow, so the count says what is in one; the last id tells two histories apart (L7: streams made anew). */
  #nameOf(segment: Segment, prefix: string): string {
    const last = wordsToId(segment.ids, (segment.count - 1) * 4);
    return `${prefix}${this.options.kind}-${segment.period}-${segment.count}-${last}`;
  }

  /** Takes a stored segment back in. */
  restore(object: string, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const segment = this.#segmentAt(view.getFloat64(0, true));
    const count = view.getUint32(8, true);
    const width = this.options.withHashes ? 37 : 21;
    const words = new Uint32Array(8);
    for (let place = 0, at = HEAD_BYTES; place < count; place++, at += width) {
      for (let word = 0; word < 4; word++) words[word] = view.getUint32(at + word * 4, true);
      for (let word = 0; this.options.withHashes && word < 4; word++)
        words[word + 4] = view.getUint32(at + 21 + word * 4, true);
      const endedAt = segment.period * this.options.segmentMs + view.getUint32(at + 16, true);
      this.add(words, 0, words, 4, endedAt, endStates[view.getUint8(at + 20)]!);
    }
    segment.object = object;
  }

  #segmentAt(period: number): Segment {
    let nth = this.#segments.length;
    while (nth > 0 && this.#segments[nth - 1]!.period > period) nth--;
    if (nth > 0 && this.#segments[nth - 1]!.period === period) return this.#segments[nth - 1]!;
    const segment: Segment = {
      period,
      count: 0,
      ids: NO_WORDS,
      hashes: NO_WORDS,
      endedAfter: NO_WORDS,
      states: new Uint8Array(0),
      index: new IdIndex(64),
      object: "",
    };
    this.#segments.splice(nth, 0, segment);
    return segment;
  }
}

function grow(segment: Segment, withHashes: boolean): void {
  const size = Math.max(64, Math.ceil(segment.count * 1.5));
  const words = (old: Words, length: number) => {
    const larger = new Uint32Array(length);
    larger.set(old);
    return larger;
  };
  segment.ids = words(segment.ids, size * 4);
  if (withHashes) segment.hashes = words(segment.hashes, size * 4);
  segment.endedAfter = words(segment.endedAfter, size);
  const states = new Uint8Array(size);
  states.set(segment.states);
  segment.states = states;
}

/** f64 period, u32 count, u32 zero; then for each id 16 bytes, u32 ms after the period's begin, u8 state, 16 of hash. */
function encode(segment: Segment, withHashes: boolean): Uint8Array {
  const width = withHashes ? 37 : 21;
  const bytes = new Uint8Array(HEAD_BYTES + segment.count * width);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, segment.period, true);
  view.setUint32(8, segment.count, true);
  for (let place = 0, at = HEAD_BYTES; place < segment.count; place++, at += width) {
    for (let word = 0; word < 4; word++) view.setUint32(at + word * 4, segment.ids[place * 4 + word]!, true);
    view.setUint32(at + 16, segment.endedAfter[place]!, true);
    view.setUint8(at + 20, segment.states[place]!);
    for (let word = 0; withHashes && word < 4; word++)
      view.setUint32(at + 21 + word * 4, segment.hashes[place * 4 + word]!, true);
  }
  return bytes;
}
