import { hashWords, sameWords, type Words } from "./id-words.ts";

/** Load at which the table doubles: at most three quarters full, so that chains stay short. */
const MAX_LOAD = 0.75;

/**
 * From an id to its place in a column of ids: open addressing with linear probing over one Int32Array, 5 to 11 bytes an
 * id instead of the ~100 of a Map of strings (L28). The caller owns the column.
 */
export class IdIndex {
  #slots: Int32Array;
  #mask: number;
  #count = 0;

  constructor(capacity = 1024) {
    const size = 2 ** Math.ceil(Math.log2(capacity / MAX_LOAD));
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
  }

  /** Place of the id in `column`, or -1. */
  find(words: Words, at: number, column: Words): number {
    let slot = hashWords(words, at) & this.#mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return -1;
      if (sameWords(words, at, column, (entry - 1) * 4)) return entry - 1;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** The id at `place` of `column`; it must not be there yet. */
  add(place: number, column: Words): void {
    if (this.#count + 1 > this.#slots.length * MAX_LOAD) this.#grow(column);
    this.#put(place, column);
    this.#count++;
  }

  /** Takes out the id at `place`, and closes the gap so that no tombstones gather. */
  remove(place: number, column: Words): void {
    let slot = hashWords(column, place * 4) & this.#mask;
    while (this.#slots[slot] !== place + 1) {
      if (this.#slots[slot] === 0) return;
      slot = (slot + 1) & this.#mask;
    }
    this.#count--;
    for (let next = (slot + 1) & this.#mask; this.#slots[next] !== 0; next = (next + 1) & this.#mask) {
      const home = hashWords(column, (this.#slots[next]! - 1) * 4) & this.#mask;
      // May the entry at `next` move to `slot`? Only if its home does not lie between the two.
      if (((next - home) & this.#mask) >= ((next - slot) & this.#mask)) {
        this.#slots[slot] = this.#slots[next]!;
        slot = next;
      }
    }
    this.#slots[slot] = 0;
  }

  #put(place: number, column: Words): void {
    let slot = hashWords(column, place * 4) & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = place + 1;
  }

  #grow(column: Words): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#slots.length - 1;
    for (const entry of old) if (entry !== 0) this.#put(entry - 1, column);
  }
}
