/**
 * How many unfinished envelopes each message of INVOCATIONS still holds, from the oldest such message on: where the log
 * may be trimmed to (L22). Two bytes a message; the stream's size bounds them.
 */
export class LiveMessages {
  /** Sequence of counts[head], and of the first not yet read. */
  #base: number;
  #end: number;
  #head = 0;
  #counts = new Uint16Array(1024);

  /** `next`: sequence of the next message to be read. */
  constructor(next: number) {
    this.#base = next;
    this.#end = next;
  }

  /** The oldest message that holds an unfinished envelope; with none, the next to be read. */
  floor(): number {
    return this.#base;
  }

  /** Messages below `next` have been read. */
  readTo(next: number): void {
    if (next > this.#end) this.#extend(next);
    this.#advance();
  }

  add(sequence: number): void {
    if (sequence < this.#base) this.#lowerBase(sequence);
    if (sequence >= this.#end) this.#extend(sequence + 1);
    this.#counts[this.#head + sequence - this.#base]!++;
  }

  remove(sequence: number): void {
    if (sequence < this.#base || sequence >= this.#end) return;
    this.#counts[this.#head + sequence - this.#base]!--;
    this.#advance();
  }

  /** The sequence up to which the oldest `entries` unfinished envelopes stand. */
  reach(entries: number): number {
    let sum = 0;
    let sequence = this.#base;
    while (sequence < this.#end) {
      sum += this.#counts[this.#head + sequence - this.#base]!;
      if (sum >= entries) break;
      sequence++;
    }
    return sequence;
  }

  #advance(): void {
    while (this.#base < this.#end && this.#counts[this.#head] === 0) {
      this.#head++;
      this.#base++;
    }
  }

  /** Room for messages up to `end`; what lies before the head is dropped when the array is full. */
  #extend(end: number): void {
    const length = this.#end - this.#base;
    if (this.#head + end - this.#base > this.#counts.length) {
      const size = Math.max(1024, 2 * (end - this.#base));
      const moved = size > this.#counts.length ? new Uint16Array(size) : this.#counts;
      moved.set(this.#counts.subarray(this.#head, this.#head + length));
      moved.fill(0, length);
      this.#counts = moved;
      this.#head = 0;
    }
    this.#end = end;
  }

  #lowerBase(sequence: number): void {
    const length = this.#end - this.#base;
    const shift = this.#base - sequence;
    const lower = new Uint16Array(Math.max(1024, 2 * (length + shift)));
    lower.set(this.#counts.subarray(this.#head, this.#head + length), shift);
    this.#counts = lower;
    this.#head = 0;
    this.#base = sequence;
  }
}
