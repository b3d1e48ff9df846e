import type { KafkaEntry } from "../../core/kafka-records.ts";

/** Bytes of messages that all Kafka triggers of this process hold (I11). */
export interface HeldBytes {
  count: number;
}

/** What one partition holds of what was fetched, in order. */
export interface LaneBuffer {
  readonly entries: readonly KafkaEntry[];
  readonly bytes: number;
  /** When the oldest came, ms of performance.now(). */
  readonly oldestAt: number;
  add(entries: readonly KafkaEntry[]): void;
  /** Forgets all up to this offset, and it too. */
  dropThrough(offset: number): void;
  remove(entries: ReadonlySet<KafkaEntry>): void;
}

/** What an entry takes beside its text. */
const ENTRY_BYTES = 100;
const sizeOf = ({ text }: KafkaEntry): number => text.bytes + ENTRY_BYTES;

export function createLaneBuffer(held: HeldBytes): LaneBuffer {
  let entries: KafkaEntry[] = [];
  let bytes = 0;
  /** When what came together came, and its last offset. */
  const arrivals: { last: number; at: number }[] = [];
  const count = (change: number) => {
    bytes += change;
    held.count += change;
  };
  const forgetArrivals = () => {
    const first = entries[0]?.offset ?? Number.POSITIVE_INFINITY;
    while (arrivals[0] && arrivals[0].last < first) arrivals.shift();
  };
  return {
    get entries() {
      return entries;
    },
    get bytes() {
      return bytes;
    },
    get oldestAt() {
      return arrivals[0]?.at ?? 0;
    },
    add(more) {
      const last = more.at(-1);
      if (!last) return;
      for (const entry of more) {
        entries.push(entry);
        count(sizeOf(entry));
      }
      arrivals.push({ last: last.offset, at: performance.now() });
    },
    dropThrough(offset) {
      let length = 0;
      while (length < entries.length && entries[length]!.offset <= offset) count(-sizeOf(entries[length++]!));
      entries.splice(0, length);
      forgetArrivals();
    },
    remove(gone) {
      for (const entry of gone) count(-sizeOf(entry));
      entries = entries.filter((entry) => !gone.has(entry));
      forgetArrivals();
    },
  };
}
