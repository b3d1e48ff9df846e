import type { FrameHead } from "@fnbus/contract";
import { NONE } from "./rows.ts";

export type Overlap = FrameHead["overlap"];

/** Earlier ones beside which a tick still waits; with more of them it is skipped (L13). */
const MOST_BEFORE: Record<Overlap, number> = { allow: Number.POSITIVE_INFINITY, skip: 0, "queue-one": 1 };

/**
 * Unfinished ticks of each counting source in the order of the log, with what each does beside the others (L13). Only
 * the first of a source runs, of those that do not allow overlaps. Rows and places of marks are numbers (rows.ts).
 */
export class Ticks {
  /** By the source's place among the marks. */
  #sources = new Map<number, Map<number, Overlap>>();
  /** Rows for which nobody has looked yet whether they are too many, with their sources. */
  readonly unjudged = new Map<number, number>();
  /** Rows whose skipping is decided and not durable yet. */
  #skipped = new Set<number>();

  /** An unfinished tick that follows all others of its source. */
  add(row: number, source: number, overlap: Overlap): void {
    let rows = this.#sources.get(source);
    if (!rows) {
      rows = new Map();
      this.#sources.set(source, rows);
    }
    rows.set(row, overlap);
    if (overlap !== "allow") this.unjudged.set(row, source);
  }

  /** It has ended. The first that is left of its source, or -1. */
  remove(row: number, source: number): number {
    const rows = this.#sources.get(source);
    if (!rows?.delete(row)) return NONE;
    this.unjudged.delete(row);
    this.#skipped.delete(row);
    if (rows.size === 0) this.#sources.delete(source);
    return firstOf(rows);
  }

  overlap(row: number, source: number): Overlap | undefined {
    return this.#sources.get(source)?.get(row);
  }

  /** Whether it may not run yet: an earlier one is unfinished. */
  isBehind(row: number, source: number): boolean {
    const rows = this.#sources.get(source);
    const overlap = rows?.get(row) ?? "allow";
    return overlap !== "allow" && firstOf(rows!) !== row;
  }

  /** Whether more are before it than it waits for. Those that are being skipped do not count. */
  isTooMany(row: number, source: number): boolean {
    const rows = this.#sources.get(source)!;
    const most = MOST_BEFORE[rows.get(row)!];
    let before = 0;
    for (const other of rows.keys()) {
      if (other === row || before > most) break;
      if (!this.#skipped.has(other)) before++;
    }
    return before > most;
  }

  skip(row: number): void {
    this.#skipped.add(row);
  }

  /** What was decided and is not durable counts for nothing: the next owner looks at all of them (L20). */
  forgetDecisions(): void {
    this.#skipped.clear();
    for (const [source, rows] of this.#sources)
      for (const [row, overlap] of rows) if (overlap !== "allow") this.unjudged.set(row, source);
  }

  /** All, those of one source in their order. */
  *all(): Generator<number> {
    for (const rows of this.#sources.values()) yield* rows.keys();
  }
}

const firstOf = (rows: Map<number, Overlap>): number => rows.keys().next().value ?? NONE;
