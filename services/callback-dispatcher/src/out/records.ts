import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, isBusError } from "@fnbus/bus";
import { encodeEntryPack, type FreeRecord, limits, subjects } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";

/** What became of callbacks, written to RECORDS. */
export interface Records {
  /** Resolves when the records are stored. Waits while the broker is away or the stream is full; rejects when closed. */
  append(partition: number, records: FreeRecord[]): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  records: FreeRecord[];
  resolve(): void;
  reject(error: unknown): void;
}

interface Writer {
  waiting: Waiting[];
  running: Promise<void> | undefined;
}

const AGAIN_MS = 500;
/** A record is under 2 KB of URL and 1 KB of the rest. */
const RECORDS_IN_PACK = Math.min(limits.packEntries, Math.floor(limits.packBytes / 4096));

/** Group commit: one publish in flight a partition, and what comes meanwhile is the next pack. */
export function createRecords(bus: Bus, logger: Logger): Records {
  const writers = new Map<number, Writer>();
  const closing = new AbortController();

  async function appendSurely(partition: number, pack: Uint8Array): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await bus.append(subjects.records(partition), pack);
        return;
      } catch (error) {
        // A pack stored twice is a try shown twice; one that is lost would be a callback sent twice.
        if (!isBusError(error) || error.code === "too_large" || closing.signal.aborted) throw error;
        if (tries % 20 === 1) logger.warn({ code: error.code, tries }, "records of callbacks cannot be stored: again");
        await sleep(AGAIN_MS, undefined, { signal: closing.signal });
      }
    }
  }

  async function write(partition: number, writer: Writer) {
    await new Promise((done) => setImmediate(done));
    while (writer.waiting.length > 0) {
      const pack: Waiting[] = [];
      let count = 0;
      while (
        writer.waiting.length > 0 &&
        (count === 0 || count + writer.waiting[0]!.records.length <= RECORDS_IN_PACK)
      ) {
        pack.push(writer.waiting[0]!);
        count += writer.waiting.shift()!.records.length;
      }
      const entries = pack.flatMap(({ records }) => records.map((meta) => ({ meta })));
      try {
        await appendSurely(partition, encodeEntryPack({ service: "callback-dispatcher" }, entries));
        for (const { resolve } of pack) resolve();
      } catch (error) {
        for (const { reject } of pack) reject(error);
      }
    }
    writer.running = undefined;
  }

  return {
    append(partition, records) {
      const writer = writers.get(partition) ?? { waiting: [], running: undefined };
      writers.set(partition, writer);
      return new Promise((resolve, reject) => {
        writer.waiting.push({ records, resolve, reject });
        writer.running ??= write(partition, writer);
      });
    },
    async close() {
      closing.abort();
      await Promise.all([...writers.values()].map(({ running }) => running));
    },
  };
}
