import type { Bus, LogReader } from "@fnbus/bus";
import { decodeEntryPack, type Entry, type FreeRecord, streams } from "@fnbus/contract";
import { hostOf } from "../core/callback-reference.ts";
import type { OpenCallback, OpenCallbacks } from "../core/open-callbacks.ts";

export interface RecordLogPorts {
  open: OpenCallbacks;
  /** Told of every try, with its place. */
  onTry(sequence: number, host: string, at: number, result: "delivered" | "failed" | "gone"): void;
  onEnd(sequence: number, callback: OpenCallback, how: "delivered" | "given-up"): void;
  onApplied(sequence: number): void;
}

/**
 * Reads RECORDS by position for ever: tries and ends of callbacks, by whichever replica. `caughtUp` resolves when what stood in
 * the log at the start has been applied.
 */
export async function readRecords(
  bus: Bus,
  partition: number,
  from: number,
  ports: RecordLogPorts,
): Promise<LogReader & { caughtUp: Promise<void> }> {
  const stream = streams.records(partition);
  const { last } = await bus.streamState(stream);
  const caughtUp = Promise.withResolvers<void>();
  if (last < from) caughtUp.resolve();

  function apply(sequence: number, record: FreeRecord): void {
    if (record.type === "callback-attempt") {
      ports.open.tried(record.id, record.attempt, record.nextAt);
      const delivered = record.errorCode === undefined;
      const result = delivered ? "delivered" : record.errorCode === "callback_gone" ? "gone" : "failed";
      ports.onTry(sequence, hostOf(record.url), record.at, result);
    } else if (record.type === "callback-end") {
      const ended = ports.open.end(record.id, sequence);
      if (ended) ports.onEnd(sequence, ended, record.how);
    }
  }
  const reader = await bus.readLog(stream, from, (batch) => {
    for (const message of batch) {
      for (const { meta } of entriesOf(message.data)) apply(message.sequence, meta);
      ports.onApplied(message.sequence);
      if (message.sequence >= last) caughtUp.resolve();
    }
  });
  return {
    caughtUp: caughtUp.promise,
    async stop() {
      caughtUp.resolve();
      await reader.stop();
    },
  };
}

/** A damaged pack holds no end of ours that could be read: its callbacks stay open and are sent again (I4). */
function entriesOf(data: Uint8Array): Entry<FreeRecord>[] {
  try {
    return decodeEntryPack<unknown, FreeRecord>(data).entries;
  } catch {
    return [];
  }
}
