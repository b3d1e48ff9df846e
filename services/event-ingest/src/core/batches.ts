import { limits } from "@fnbus/contract";

/** What a batch may hold. */
export interface BatchLimits {
  size: number;
  /** Of everything in the event but its messages. */
  headBytes: number;
}

/** Batches that are published together: more wait for the verdicts on these. */
const MOST_BATCHES = 64;
/** Of one round's bodies together. */
const MOST_BYTES = 2 * limits.requestBodyBytes;

/**
 * Cuts what waits into batches, in order: of `size` messages, or as many as fit into 6 MB. What is left over at the end
 * makes a smaller batch only where `rest` says so (its time is over).
 */
export function cutBatches<T extends { text: { bytes: number } }>(
  waiting: readonly T[],
  { size, headBytes }: BatchLimits,
  rest: boolean,
): T[][] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = headBytes;
  let total = 0;
  for (const item of waiting) {
    // The comma, and its index where it is base64.
    const more = item.text.bytes + 6;
    if (batch.length > 0 && (batch.length === size || bytes + more > limits.requestBodyBytes)) {
      batches.push(batch);
      if (batches.length === MOST_BATCHES || total >= MOST_BYTES) return batches;
      batch = [];
      bytes = headBytes;
    }
    batch.push(item);
    bytes += more;
    total += more;
  }
  if (batch.length > 0 && (rest || batch.length === size)) batches.push(batch);
  return batches;
}
