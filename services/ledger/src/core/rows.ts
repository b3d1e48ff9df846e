import { IdIndex } from "./id-index.ts";
import { readWords, sameWords, type Words, wordsToId } from "./id-words.ts";

/**
 * Where a row is. `waiting`: for its next attempt, its delay, or the registry's index (L3). `behind`: a tick that waits
 * for the end of an earlier one of its source (L13).
 */
export const rowState = Object.freeze({ free: 0, queued: 1, running: 2, waiting: 3, behind: 4 });
/** `kept`: keyed or named (L12). `deciding`: an outcome or a lost or failed attempt waits to be durable (L20). */
export const rowFlag = Object.freeze({ parked: 1, kept: 2, callback: 4, cancelled: 8, deciding: 16, unresolved: 32 });

const FIRST_CAPACITY = 1024;
export const NONE = -1;

/**
 * Unfinished invocations as columns: 70 bytes a row, about 92 with the index, the timers' heap and room to grow
 * (bench/million.ts), 16 more where any id is keyed (L28). A row's number is reused after its end.
 */
export class Rows {
  capacity = FIRST_CAPACITY;
  ids: Words = new Uint32Array(FIRST_CAPACITY * 4);
  functions = new Uint32Array(FIRST_CAPACITY);
  /** Place of the counting source's mark, -1 where nothing is counted (L10). */
  sources = new Int32Array(FIRST_CAPACITY);
  sequences = new Float64Array(FIRST_CAPACITY);
  indexes = new Uint16Array(FIRST_CAPACITY);
  acceptedAt = new Float64Array(FIRST_CAPACITY);
  /** ms after acceptedAt until it expires, and until it may run. */
  ttl = new Uint32Array(FIRST_CAPACITY);
  delay = new Uint32Array(FIRST_CAPACITY);
  bytes = new Uint32Array(FIRST_CAPACITY);
  failed = new Uint8Array(FIRST_CAPACITY);
  lost = new Uint8Array(FIRST_CAPACITY);
  state = new Uint8Array(FIRST_CAPACITY);
  flags = new Uint8Array(FIRST_CAPACITY);
  next = new Int32Array(FIRST_CAPACITY).fill(NONE);
  previous = new Int32Array(FIRST_CAPACITY).fill(NONE);
  heapPlace = new Int32Array(FIRST_CAPACITY).fill(NONE);
  /** Body hashes, four words a row, made when the first keyed id comes. */
  hashes: Words | undefined;
  count = 0;
  #used = 0;
  #free: number[] = [];
  #index = new IdIndex(FIRST_CAPACITY);
  #scratch = new Uint32Array(4);

  find(id: string): number {
    return this.#index.find(readWords(id, this.#scratch), 0, this.ids);
  }

  /** A new row for an id that has none. */
  add(id: string): number {
    readWords(id, this.#scratch);
    return this.#addScratch();
  }

  /** A row of a checkpoint: 16 bytes of id, 16 of hash. */
  addBytes(bytes: Buffer, at: number): number {
    for (let word = 0; word < 4; word++) this.#scratch[word] = bytes.readUInt32LE(at + word * 4);
    const row = this.#addScratch();
    for (let word = 0; word < 4; word++) {
      const part = bytes.readUInt32LE(at + 16 + word * 4);
      if (part !== 0) this.hashes ??= new Uint32Array(this.capacity * 4);
      if (this.hashes) this.hashes[row * 4 + word] = part;
    }
    return row;
  }

  #addScratch(): number {
    const row = this.#free.pop() ?? this.#used++;
    if (row >= this.capacity) this.#grow();
    this.ids.set(this.#scratch, row * 4);
    this.#index.add(row, this.ids);
    this.failed[row] = this.lost[row] = this.flags[row] = this.delay[row] = 0;
    this.next[row] = this.previous[row] = this.heapPlace[row] = this.sources[row] = NONE;
    this.count++;
    return row;
  }

  remove(row: number): void {
    this.#index.remove(row, this.ids);
    this.state[row] = rowState.free;
    this.#free.push(row);
    this.count--;
  }

  setHash(row: number, hash: string): void {
    this.hashes ??= new Uint32Array(this.capacity * 4);
    this.hashes.set(readWords(hash, this.#scratch), row * 4);
  }

  sameHash(row: number, hash: string): boolean {
    return sameWords(this.hashes!, row * 4, readWords(hash, this.#scratch), 0);
  }

  /** Row numbers in use, in no promised order. */
  *all(): Generator<number> {
    for (let row = 0; row < this.#used; row++) if (this.state[row] !== rowState.free) yield row;
  }

  id(row: number): string {
    return wordsToId(this.ids, row * 4);
  }
  deadlineAt(row: number): number {
    return this.acceptedAt[row]! + this.ttl[row]!;
  }
  nextAt(row: number): number {
    return this.acceptedAt[row]! + this.delay[row]!;
  }
  /** Number of the attempt that runs or is to run: attempts that ended, plus one. */
  attempt(row: number): number {
    return this.failed[row]! + this.lost[row]! + 1;
  }
  has(row: number, flag: number): boolean {
    return (this.flags[row]! & flag) !== 0;
  }
  set(row: number, flag: number, on: boolean): void {
    this.flags[row] = on ? this.flags[row]! | flag : this.flags[row]! & ~flag;
  }

  /** A quarter more each time: doubling would hold three times a million's bytes while it copies. */
  #grow(): void {
    this.capacity = Math.ceil((this.capacity * 5) / 4 / 1024) * 1024 + 1024;
    const size = this.capacity;
    this.ids = grown(this.ids, size * 4);
    this.functions = grown(this.functions, size);
    this.sources = grown(this.sources, size);
    this.sequences = grown(this.sequences, size);
    this.indexes = grown(this.indexes, size);
    this.acceptedAt = grown(this.acceptedAt, size);
    this.ttl = grown(this.ttl, size);
    this.delay = grown(this.delay, size);
    this.bytes = grown(this.bytes, size);
    this.failed = grown(this.failed, size);
    this.lost = grown(this.lost, size);
    this.state = grown(this.state, size);
    this.flags = grown(this.flags, size);
    this.next = grown(this.next, size);
    this.previous = grown(this.previous, size);
    this.heapPlace = grown(this.heapPlace, size);
    if (this.hashes) this.hashes = grown(this.hashes, size * 4);
  }
}

function grown<A extends Uint32Array | Float64Array | Uint16Array | Uint8Array | Int32Array>(old: A, size: number): A {
  const larger = new (old.constructor as new (size: number) => A)(size);
  larger.set(old);
  return larger;
}
