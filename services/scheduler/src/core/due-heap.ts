const NONE = -1;

/** What waits for a time. An item's `place` belongs to the heap while it is in it. */
export interface Placed {
  place: number;
}

/** Items by the time at which they are due, earliest first: a binary heap, times in a typed array. */
export class DueHeap<T extends Placed> {
  #times = new Float64Array(64);
  #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** When the earliest is due; infinity where nothing waits. */
  get firstAt(): number {
    return this.#items.length === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  /** Adds an item, or moves one that is in it already. */
  set(item: T, at: number): void {
    if (item.place === NONE) {
      item.place = this.#items.push(item) - 1;
      if (item.place === this.#times.length) {
        const times = new Float64Array(this.#times.length * 2);
        times.set(this.#times);
        this.#times = times;
      }
    }
    this.#times[item.place] = at;
    this.#settle(item.place);
  }

  /** Takes the earliest out where it is due at `now`. */
  takeDue(now: number): T | undefined {
    if (this.firstAt > now) return undefined;
    const first = this.#items[0]!;
    this.remove(first);
    return first;
  }

  remove(item: T): void {
    const { place } = item;
    if (place === NONE) return;
    item.place = NONE;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#put(place, last, this.#times[this.#items.length]!);
    this.#settle(place);
  }

  #put(place: number, item: T, at: number): void {
    this.#items[place] = item;
    this.#times[place] = at;
    item.place = place;
  }

  #settle(start: number): void {
    const item = this.#items[start]!;
    const at = this.#times[start]!;
    let place = start;
    for (let parent = (place - 1) >> 1; place > 0 && this.#times[parent]! > at; parent = (place - 1) >> 1) {
      this.#put(place, this.#items[parent]!, this.#times[parent]!);
      place = parent;
    }
    for (let child = this.#childOf(place); child !== NONE && this.#times[child]! < at; child = this.#childOf(place)) {
      this.#put(place, this.#items[child]!, this.#times[child]!);
      place = child;
    }
    this.#put(place, item, at);
  }

  /** The earlier of the two below. */
  #childOf(place: number): number {
    const left = place * 2 + 1;
    if (left >= this.#items.length) return NONE;
    const right = left + 1;
    return right < this.#items.length && this.#times[right]! < this.#times[left]! ? right : left;
  }
}

/** Of an item that is in no heap. */
export const NOWHERE = NONE;
