import { limits } from "@fnbus/contract";
import { KAFKA_HEAD_BYTES } from "./kafka-event.ts";
import { type MessageText, toMessageText } from "./message-text.ts";

/** One record of a partition as it waits to be put into an event. */
export interface KafkaEntry {
  offset: number;
  text: MessageText;
  /** Why it can be in no event. */
  poison?: string;
}

/** What is read of a batch: the library's form, without what is not needed. */
export interface KafkaBatch {
  firstOffset: bigint;
  lastOffsetDelta: number;
  attributes: number;
  producerId: bigint;
  records: readonly { offsetDelta: number; key: Buffer | null; value: Buffer | null }[];
}

const NOTHING: MessageText = { json: "", bytes: 0, isBase64: false };
/** Of a batch's attributes (Kafka protocol, record batch). */
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** The largest message that an event of its own can hold. */
const MOST_BYTES = limits.requestBodyBytes - KAFKA_HEAD_BYTES;

/** A record as it waits. A tombstone (no value) says only that its key is gone, which the event's form cannot tell. */
export function toEntry(offset: number, value: Uint8Array | null): KafkaEntry {
  if (value === null) return { offset, text: NOTHING, poison: "a tombstone: it has no value" };
  const text = toMessageText(value);
  if (text.bytes <= MOST_BYTES) return { offset, text };
  return { offset, text: NOTHING, poison: `larger than ${limits.requestBodyBytes} bytes in an event` };
}

/**
 * Entries of what was fetched from `from` on, without markers and what belongs to aborted transactions (as Kafka's own
 * consumer does it: a producer's records are skipped from the aborted transaction's first offset to its marker), and the
 * offset to fetch next.
 */
export function readBatches(
  batches: readonly KafkaBatch[],
  aborted: readonly { producerId: bigint; firstOffset: bigint }[],
  from: number,
): { entries: KafkaEntry[]; next: number } {
  const ahead = aborted.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const skipped = new Set<bigint>();
  const entries: KafkaEntry[] = [];
  let next = from;
  for (const batch of batches) {
    const last = Number(batch.firstOffset) + batch.lastOffsetDelta;
    next = Math.max(next, last + 1);
    while (ahead[0] && Number(ahead[0].firstOffset) <= last) skipped.add(ahead.shift()!.producerId);
    if (batch.attributes & CONTROL) {
      // The marker's key: version, then type; 0 is an abort.
      if (batch.records[0]?.key?.readInt16BE(2) === 0) skipped.delete(batch.producerId);
      continue;
    }
    if (batch.attributes & TRANSACTIONAL && skipped.has(batch.producerId)) continue;
    for (const record of batch.records) {
      const offset = Number(batch.firstOffset) + record.offsetDelta;
      if (offset >= from) entries.push(toEntry(offset, record.value));
    }
  }
  return { entries, next };
}
