import { FnbusError, type LedgerAnnouncement } from "@fnbus/contract";

/** What the ledger last said of a partition is believed for this long, ms. */
const FRESH_MS = 5_000;
/** LEDGER.md L23, L12: from here on new work, or new keys, are refused. */
const REFUSE_FROM = 0.8;
const RETRY_AFTER_SECONDS = 5;

/** What the ledger announced, by which publishers refuse before they accept (L23). */
export interface Backlog {
  heard(announcement: LedgerAnnouncement, nowMs: number): void;
  /**
   * Throws `function_backlog_full`, `backlog_full`, `kept_keys_full`. A partition that is silent refuses nothing by itself:
   * what is accepted is durable and waits for it. Only a keyed call needs the ledger's verdict, which is then missing.
   */
  check(partition: number, registryId: string, keyed: boolean, nowMs: number): void;
  isHeard(partition: number, nowMs: number): boolean;
  /** Partitions of which no ledger was ever heard. */
  unheard(partitions: number): number[];
  last(): LedgerAnnouncement[];
}

export function createBacklog(): Backlog {
  const partitions = new Map<number, { at: number; full: Set<string>; said: LedgerAnnouncement }>();
  const fresh = (partition: number, nowMs: number) => {
    const known = partitions.get(partition);
    return known && nowMs - known.at <= FRESH_MS ? known : undefined;
  };
  return {
    heard(said, nowMs) {
      const known = partitions.get(said.partition);
      if (known && known.said.epoch > said.epoch && nowMs - known.at <= FRESH_MS) return;
      partitions.set(said.partition, { at: nowMs, full: new Set(said.full), said });
    },
    check(partition, registryId, keyed, nowMs) {
      const known = fresh(partition, nowMs);
      if (!known) return;
      const extra = { retryAfterSeconds: RETRY_AFTER_SECONDS };
      if (known.full.has(registryId)) throw new FnbusError("function_backlog_full", undefined, extra);
      if (known.said.fill >= REFUSE_FROM) throw new FnbusError("backlog_full", undefined, extra);
      if (keyed && known.said.keptKeys >= REFUSE_FROM) throw new FnbusError("kept_keys_full", undefined, extra);
    },
    isHeard: (partition, nowMs) => fresh(partition, nowMs) !== undefined,
    unheard: (count) =>
      Array.from({ length: count }, (_, partition) => partition).filter((one) => !partitions.has(one)),
    last: () => [...partitions.values()].map(({ said }) => said),
  };
}
