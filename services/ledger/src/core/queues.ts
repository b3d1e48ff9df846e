import type { FunctionRules } from "./events.ts";
import { NONE, type Rows } from "./rows.ts";

/** A function's queue: rows linked through their columns, and its place among those whose turn comes (L13). */
export interface FunctionQueueState {
  index: number;
  registryId: string;
  rules: FunctionRules | undefined;
  head: number;
  tail: number;
  queued: number;
  waiting: number;
  running: number;
  /** Rows handed out in this turn, up to its weight. */
  served: number;
  inTurn: boolean;
  nextInTurn: FunctionQueueState | undefined;
}

interface Turns {
  first: FunctionQueueState | undefined;
  last: FunctionQueueState | undefined;
}

/** Queues of all functions, and for each pool the functions that could start something now, in turn. */
export class Queues {
  readonly all: FunctionQueueState[] = [];
  /** Functions with queued rows that are deleted or were never known: their rows end without a run (L3). */
  readonly orphans = new Set<FunctionQueueState>();
  #rows: Rows;
  #byId = new Map<string, FunctionQueueState>();
  #turns = new Map<string, Turns>();

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  of(registryId: string): FunctionQueueState {
    let queue = this.#byId.get(registryId);
    if (!queue) {
      queue = {
        index: this.all.length,
        registryId,
        rules: undefined,
        head: NONE,
        tail: NONE,
        queued: 0,
        waiting: 0,
        running: 0,
        served: 0,
        inTurn: false,
        nextInTurn: undefined,
      };
      this.all.push(queue);
      this.#byId.set(registryId, queue);
    }
    return queue;
  }

  ofRow(row: number): FunctionQueueState {
    return this.all[this.#rows.functions[row]!]!;
  }

  setRules(registryId: string, rules: FunctionRules | undefined): void {
    const queue = this.of(registryId);
    queue.rules = rules;
    if (!rules && queue.queued > 0) this.orphans.add(queue);
    if (rules) this.orphans.delete(queue);
    this.takeTurn(queue);
  }

  /** `front`: what has run before, or was handed back, goes before what never ran. */
  push(row: number, front: boolean): void {
    const { next, previous } = this.#rows;
    const queue = this.ofRow(row);
    if (queue.head === NONE) {
      queue.head = queue.tail = row;
      next[row] = previous[row] = NONE;
    } else if (front) {
      next[row] = queue.head;
      previous[row] = NONE;
      previous[queue.head] = row;
      queue.head = row;
    } else {
      previous[row] = queue.tail;
      next[row] = NONE;
      next[queue.tail] = row;
      queue.tail = row;
    }
    queue.queued++;
    if (queue.rules) this.takeTurn(queue);
    else this.orphans.add(queue);
  }

  unlink(row: number): void {
    const { next, previous } = this.#rows;
    const queue = this.ofRow(row);
    const after = next[row]!;
    const before = previous[row]!;
    if (before === NONE) queue.head = after;
    else next[before] = after;
    if (after === NONE) queue.tail = before;
    else previous[after] = before;
    next[row] = previous[row] = NONE;
    queue.queued--;
  }

  /** Whether the function could start something: it has work and is under its limit, which is exact (L13). */
  couldStart(queue: FunctionQueueState): boolean {
    return queue.queued > 0 && queue.rules !== undefined && queue.running < queue.rules.limit;
  }

  /** Puts the function at the end of its pool's turns, where it could start something and is not there yet. */
  takeTurn(queue: FunctionQueueState): void {
    if (queue.inTurn || !this.couldStart(queue)) return;
    const turns = this.#turnsOf(queue.rules!.pool);
    queue.inTurn = true;
    queue.nextInTurn = undefined;
    if (turns.last) turns.last.nextInTurn = queue;
    else turns.first = queue;
    turns.last = queue;
  }

  /** The function whose turn it is. It stays first until `endTurn`. */
  turn(pool: string): FunctionQueueState | undefined {
    const turns = this.#turns.get(pool);
    while (turns?.first) {
      const queue = turns.first;
      if (this.couldStart(queue) && queue.rules!.pool === pool) return queue;
      this.endTurn(pool);
    }
    return undefined;
  }

  /** The next function's turn; this one waits for its own again, where it could still start something. */
  endTurn(pool: string): void {
    const turns = this.#turnsOf(pool);
    const queue = turns.first;
    if (!queue) return;
    turns.first = queue.nextInTurn;
    if (!turns.first) turns.last = undefined;
    queue.nextInTurn = undefined;
    queue.inTurn = false;
    queue.served = 0;
    this.takeTurn(queue);
  }

  pools(): IterableIterator<string> {
    return this.#turns.keys();
  }

  #turnsOf(pool: string): Turns {
    let turns = this.#turns.get(pool);
    if (!turns) {
      turns = { first: undefined, last: undefined };
      this.#turns.set(pool, turns);
    }
    return turns;
  }
}
