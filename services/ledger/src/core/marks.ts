import { IdIndex } from "./id-index.ts";
import { readWords, type Words } from "./id-words.ts";
import { NONE } from "./rows.ts";

const FIRST_CAPACITY = 256;
/** 16 of source hash, f64 mark, f64 time of its last move. */
export const MARK_BYTES = 32;

/**
 * Marks of counting sources (L10) as columns, 36 bytes each and the index. One that has not moved for the retention is
 * forgotten, unless an invocation of its source is unfinished. What is in force is asked for a moment of the broker's
 * time, so that when a replica clears up does not matter (L6).
 */
export class Marks {
  readonly retentionMs: number;
  /** Marks in force at once (I11). */
  readonly most: number;
  count = 0;
  #ids: Words = new Uint32Array(FIRST_CAPACITY * 4);
  #marks = new Float64Array(FIRST_CAPACITY);
  /** Not a number where the place is free. */
  #movedAt = new Float64Array(FIRST_CAPACITY);
  #unfinished = new Uint32Array(FIRST_CAPACITY);
  #index = new IdIndex(FIRST_CAPACITY);
  /** Places that were ever used, and those of them that are free. */
  #used = 0;
  #free: number[] = [];
  /** Nothing is due to be forgotten before this. */
  #dueAt = Number.POSITIVE_INFINITY;
  #scratch = new Uint32Array(4);

  constructor(retentionMs: number, most: number) {
    this.retentionMs = retentionMs;
    this.most = most;
  }

  /** Place of the source, in force or not. */
  find(source: string): number {
    return this.#index.find(readWords(source, this.#scratch), 0, this.#ids);
  }

  get(source: string): number | undefined {
    const place = this.find(source);
    return place === NONE ? undefined : this.#marks[place]!;
  }

  /** The mark that stands at this time. */
  inForce(source: string, at: number): number | undefined {
    const place = this.find(source);
    return place === NONE || this.#isDue(place, at) ? undefined : this.#marks[place]!;
  }

  /** Whether a source without a mark can get one at this time. */
  hasRoom(at: number): boolean {
    if (this.count >= this.most) this.forget(at);
    return this.count < this.most;
  }

  /** The source has come as far as `mark`. Its place, the same as long as an invocation of it is unfinished. */
  move(source: string, mark: number, at: number): number {
    let place = this.find(source);
    if (place === NONE) place = this.#add();
    this.#marks[place] = mark;
    this.#movedAt[place] = at;
    this.#dueAt = Math.min(this.#dueAt, at + this.retentionMs);
    return place;
  }

  /** An invocation of the source at this place is unfinished, or has ended. */
  begin(place: number): void {
    this.#unfinished[place]!++;
  }
  end(place: number): void {
    this.#unfinished[place]!--;
  }

  /** Forgets what is not in force at `at`. */
  forget(at: number): void {
    if (at < this.#dueAt) return;
    this.#dueAt = Number.POSITIVE_INFINITY;
    for (let place = 0; place < this.#used; place++) {
      if (!this.#isDue(place, at)) {
        // Of a free place it is never due: its time is no number.
        const dueAt = this.#movedAt[place]! + this.retentionMs;
        if (dueAt < this.#dueAt) this.#dueAt = Math.max(at + 1, dueAt);
        continue;
      }
      this.#index.remove(place, this.#ids);
      this.#movedAt[place] = Number.NaN;
      this.#free.push(place);
      this.count--;
    }
  }

  /** Writes all of them, MARK_BYTES each, from `at` on. The place that each will have when they are restored. */
  encode(bytes: Buffer, at: number): Int32Array {
    const places = new Int32Array(this.#used).fill(NONE);
    let nth = 0;
    for (let place = 0; place < this.#used; place++) {
      if (Number.isNaN(this.#movedAt[place]!)) continue;
      const to = at + nth * MARK_BYTES;
      for (let word = 0; word < 4; word++) bytes.writeUInt32LE(this.#ids[place * 4 + word]!, to + word * 4);
      bytes.writeDoubleLE(this.#marks[place]!, to + 16);
      bytes.writeDoubleLE(this.#movedAt[place]!, to + 24);
      places[place] = nth++;
    }
    return places;
  }

  /** Takes `count` stored marks into an empty table. */
  restore(bytes: Buffer, at: number, count: number): void {
    this.#grow(Math.max(FIRST_CAPACITY, count));
    this.#index = new IdIndex(Math.max(FIRST_CAPACITY, count));
    for (let nth = 0, from = at; nth < count; nth++, from += MARK_BYTES) {
      for (let word = 0; word < 4; word++) this.#scratch[word] = bytes.readUInt32LE(from + word * 4);
      const place = this.#add();
      this.#marks[place] = bytes.readDoubleLE(from + 16);
      this.#movedAt[place] = bytes.readDoubleLE(from + 24);
      this.#dueAt = Math.min(this.#dueAt, this.#movedAt[place]! + this.retentionMs);
    }
  }

  #isDue(place: number, at: number): boolean {
    return this.#unfinished[place] === 0 && at >= this.#movedAt[place]! + this.retentionMs;
  }

  /** A place for the source in `#scratch`. */
  #add(): number {
    const place = this.#free.pop() ?? this.#used++;
    if (place === this.#marks.length) this.#grow(place * 2);
    this.#ids.set(this.#scratch, place * 4);
    this.#unfinished[place] = 0;
    this.#index.add(place, this.#ids);
    this.count++;
    return place;
  }

  #grow(size: number): void {
    const ids = new Uint32Array(size * 4);
    const [marks, movedAt, unfinished] = [new Float64Array(size), new Float64Array(size), new Uint32Array(size)];
    ids.set(this.#ids);
    marks.set(this.#marks);
    movedAt.set(this.#movedAt);
    unfinished.set(this.#unfinished);
    [this.#ids, this.#marks, this.#movedAt, this.#unfinished] = [ids, marks, movedAt, unfinished];
  }
}
