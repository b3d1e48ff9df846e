import { setImmediate as nextTurn } from "node:timers/promises";
import type { Bus, LogReader, StoredMessage } from "@fnbus/bus";
import { decodeEntryPack, type FreeRecord, type LedgerRecord, streams } from "@fnbus/contract";
import type { LogName, LogPack, Store } from "./store.ts";

/** Entries in one transaction: questions wait for at most this many rows. */
const ENTRIES_AT_ONCE = 1000;

/** What following tells: how far each log has been committed, and what could not be read. */
export interface FollowEvents {
  position(log: LogName, sequence: number): void;
  fault(text: string): void;
}

/** Creation times of the two streams: a store belongs to one pair of them. */
export async function readCreationTimes(bus: Bus, partition: number): Promise<Record<LogName, number>> {
  const [outcomes, records] = await Promise.all([
    bus.streamState(streams.outcomes(partition)),
    bus.streamState(streams.records(partition)),
  ]);
  return { outcomes: outcomes.createdAt, records: records.createdAt };
}

/** Reads OUTCOMES and RECORDS from where the store stands, for ever (L29). */
export async function followLogs(
  bus: Bus,
  partition: number,
  store: Store,
  createdAt: Record<LogName, number>,
  events: FollowEvents,
): Promise<{ stop(): Promise<void> }> {
  const follow = async <R>(
    log: LogName,
    stream: string,
    apply: (packs: LogPack<R>[], createdAt: number) => void,
  ): Promise<LogReader> => {
    const position = store.position(log, createdAt[log]) ?? 0;
    events.position(log, position);
    return bus.readLog(stream, position + 1, async (batch) => {
      for (const packs of inTransactions(batch.map((message) => decode<R>(message, events)))) {
        apply(packs, createdAt[log]);
        events.position(log, packs.at(-1)!.sequence);
        await nextTurn();
      }
    });
  };
  const readers = await Promise.all([
    follow<LedgerRecord>("outcomes", streams.outcomes(partition), store.applyOutcomes),
    follow<FreeRecord>("records", streams.records(partition), store.applyRecords),
  ]);
  return {
    async stop() {
      await Promise.all(readers.map((reader) => reader.stop()));
    },
  };
}

/** A damaged message keeps its place, so that the position passes it. */
function decode<R>(message: StoredMessage, events: FollowEvents): LogPack<R> {
  const { sequence, at } = message;
  try {
    return { sequence, at, entries: decodeEntryPack<unknown, R>(message.data).entries };
  } catch (error) {
    events.fault(`${message.subject} ${sequence}: ${(error as Error).message}`);
    return { sequence, at, entries: [] };
  }
}

function* inTransactions<R>(packs: LogPack<R>[]): Generator<LogPack<R>[]> {
  let chunk: LogPack<R>[] = [];
  let entries = 0;
  for (const pack of packs) {
    chunk.push(pack);
    entries += pack.entries.length;
    if (entries < ENTRIES_AT_ONCE) continue;
    yield chunk;
    chunk = [];
    entries = 0;
  }
  if (chunk.length > 0) yield chunk;
}
