import { NONE, type Rows, rowState } from "./rows.ts";

/**
 * When rows need attention next: expiry of what is queued, the next attempt of what waits. An indexed binary heap of
 * row numbers, so that a row leaves it at once when it is decided (a million finished ones must not wait there for
 * their deadlines).
 */
export class Timers {
  #rows: Rows;
  #heap = new Int32Array(1024);
  #size = 0;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  get size(): number {
    return this.#size;
  }

  /** Broker's time at which the row wants attention. */
  at(row: number): number {
    const deadline = this.#rows.deadlineAt(row);
    return this.#rows.state[row] === rowState.waiting ? Math.min(deadline, this.#rows.nextAt(row)) : deadline;
  }

  /** The first row, or -1. */
  first(): number {
    return this.#size === 0 ? NONE : this.#heap[0]!;
  }

  /** Puts the row in, or to its new place after its state or times changed. */
  set(row: number): void {
    const place = this.#rows.heapPlace[row]!;
    if (place === NONE) {
      if (this.#size === this.#heap.length) {
        const larger = new Int32Array(this.#heap.length * 2);
        larger.set(this.#heap);
        this.#heap = larger;
      }
      this.#heap[this.#size] = row;
      this.#rows.heapPlace[row] = this.#size;
      this.#up(this.#size++);
    } else {
      this.#up(place);
      this.#down(this.#rows.heapPlace[row]!);
    }
  }

  remove(row: number): void {
    const place = this.#rows.heapPlace[row]!;
    if (place === NONE) return;
    this.#rows.heapPlace[row] = NONE;
    const last = this.#heap[--this.#size]!;
    if (last === row) return;
    this.#heap[place] = last;
    this.#rows.heapPlace[last] = place;
    this.#up(place);
    this.#down(this.#rows.heapPlace[last]!);
  }

  #up(from: number): void {
    const row = this.#heap[from]!;
    const at = this.at(row);
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent]!;
      if (this.at(above) <= at) break;
      this.#heap[place] = above;
      this.#rows.heapPlace[above] = place;
      place = parent;
    }
    this.#heap[place] = row;
    this.#rows.heapPlace[row] = place;
  }

  #down(from: number): void {
    const row = this.#heap[from]!;
    const at = this.at(row);
    let place = from;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.at(this.#heap[child + 1]!) < this.at(this.#heap[child]!)) child++;
      const below = this.#heap[child]!;
      if (this.at(below) >= at) break;
      this.#heap[place] = below;
      this.#rows.heapPlace[below] = place;
      place = child;
    }
    this.#heap[place] = row;
    this.#rows.heapPlace[row] = place;
  }
}
