import type { Bus } from "@fnbus/bus";
import { encodeEntryPack, type FreeRecord, limits, subjects } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";

/** Records of synchronous calls, off the hot path: they wait for nobody, and nobody waits for them. */
export interface Records {
  add(partition: number, record: FreeRecord): void;
  /** Records that were given up: the log did not take them, or too many waited. */
  readonly dropped: number;
  /** Publishes what waits, once. */
  close(): Promise<void>;
}

/** Records that wait for the log (I11). A call is answered already: what is over is counted, not waited for. */
const MAX_WAITING = 10_000;

export function createRecords(bus: Bus, partitions: number, service: string, logger: Logger): Records {
  const waiting: FreeRecord[][] = Array.from({ length: partitions }, () => []);
  const running: (Promise<void> | undefined)[] = [];
  let dropped = 0;

  async function publish(partition: number): Promise<void> {
    const queue = waiting[partition]!;
    while (queue.length > 0) {
      const batch = queue.splice(0, limits.packEntries);
      const pack = encodeEntryPack(
        { service },
        batch.map((meta) => ({ meta })),
      );
      await bus.append(subjects.records(partition), pack).catch((error: unknown) => {
        dropped += batch.length;
        logger.warn({ err: error, records: batch.length }, "records of synchronous calls were not stored");
      });
    }
    running[partition] = undefined;
  }

  return {
    add(partition, record) {
      const queue = waiting[partition];
      if (!queue || queue.length >= MAX_WAITING) {
        dropped++;
        return;
      }
      queue.push(record);
      running[partition] ??= new Promise<void>((next) => setImmediate(next)).then(() => publish(partition));
    },
    get dropped() {
      return dropped;
    },
    async close() {
      await Promise.all(running);
    },
  };
}
