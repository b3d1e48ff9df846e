import { setTimeout as sleep } from "node:timers/promises";
import type { Bus, LogReader, StoredMessage } from "@fnbus/bus";
import { decodeEntryPack, type Entry, type LedgerRecord, type OutcomeHead, streams } from "@fnbus/contract";
import { hostOf, SERIES } from "../core/callback-reference.ts";
import type { OpenCallbacks } from "../core/open-callbacks.ts";
import type { RecordFloor } from "../core/record-floor.ts";

export interface OutcomeLogPorts {
  open: OpenCallbacks;
  floor: RecordFloor;
  /** How far RECORDS has been applied. */
  recordsApplied(): number;
  onPack(sequence: number, at: number, entries: readonly Entry<LedgerRecord>[]): void;
  /** After each batch. */
  onBatch(): void;
  onDamaged(sequence: number, message: string): Promise<void>;
}

/** Open callbacks held at once (I11), about 300 bytes each. Over it the log is not read on: it is what holds the rest. */
const MAX_OPEN = 1_000_000;
const FULL_MS = 250;

/**
 * Reads OUTCOMES by position for ever, and takes up every outcome with a callback. `caughtUp` resolves when what stood in the
 * log at the start has been read.
 */
export async function readOutcomes(
  bus: Bus,
  partition: number,
  from: number,
  ports: OutcomeLogPorts,
): Promise<LogReader & { caughtUp: Promise<void> }> {
  const stream = streams.outcomes(partition);
  const { last } = await bus.streamState(stream);
  const caughtUp = Promise.withResolvers<void>();
  const stopping = new AbortController();
  ports.open.read(partition, from - 1);
  if (last < from) caughtUp.resolve();

  async function apply(message: StoredMessage): Promise<void> {
    let entries: Entry<LedgerRecord>[] = [];
    try {
      entries = decodeEntryPack<OutcomeHead, LedgerRecord>(message.data).entries;
    } catch (error) {
      await ports.onDamaged(message.sequence, (error as Error).message);
    }
    const toHost = new Map<string, number>();
    for (const [index, { meta }] of entries.entries()) {
      if (meta.type !== "outcome" || meta.callbackUrl === undefined) continue;
      const host = hostOf(meta.callbackUrl);
      const before = toHost.get(host) ?? 0;
      toHost.set(host, before + 1);
      ports.open.open({
        id: meta.id,
        partition,
        sequence: message.sequence,
        index,
        space: meta.space,
        host,
        attempts: 0,
        since: message.at,
        redrive: 0,
        copied: false,
        hasJob: false,
        dueAt: message.at,
        afterRecord: 0,
        series: `first-${partition}-${message.sequence}-${[...toHost.keys()].indexOf(host)}-${Math.floor(before / SERIES)}`,
      });
    }
    if (toHost.size > 0) {
      ports.floor.read(message.sequence, ports.recordsApplied());
      ports.onPack(message.sequence, message.at, entries);
    }
    ports.open.read(partition, message.sequence);
  }

  const reader = await bus.readLog(stream, from, async (batch) => {
    for (const message of batch) await apply(message);
    ports.onBatch();
    if ((batch.at(-1)?.sequence ?? 0) >= last) caughtUp.resolve();
    while (ports.open.size > MAX_OPEN && !stopping.signal.aborted) await sleep(FULL_MS);
  });
  return {
    caughtUp: caughtUp.promise,
    async stop() {
      stopping.abort();
      caughtUp.resolve();
      await reader.stop();
    },
  };
}
