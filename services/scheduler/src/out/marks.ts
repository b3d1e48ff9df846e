import { setTimeout as pause } from "node:timers/promises";
import type { Publisher } from "@fnbus/publisher";
import type { Logger } from "@fnbus/telemetry";

export interface MarkReader {
  /** The ledger's mark of a source, null where it has none. Asks until it is answered; throws the signal's reason. */
  read(partition: number, source: string): Promise<number | null>;
  close(): void;
}

/** Questions are gathered for so long, so that a start with many schedules asks few. */
const GATHER_MS = 20;
const MARKS_AT_ONCE = 1_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

interface Asked {
  source: string;
  resolve(mark: number | null): void;
  reject(error: unknown): void;
}

/** Asks the ledger where sources have come to, many at a time. */
export function createMarkReader(publisher: Publisher, logger: Logger): MarkReader {
  const stopping = new AbortController();
  const { signal } = stopping;
  const waiting = new Map<number, Asked[]>();

  async function ask(partition: number): Promise<void> {
    await pause(GATHER_MS, undefined, { signal });
    let pauseMs = FIRST_PAUSE_MS;
    for (let asked = waiting.get(partition)!; asked.length > 0; ) {
      const some = asked.slice(0, MARKS_AT_ONCE);
      try {
        const marks = await publisher.marks(
          partition,
          some.map(({ source }) => source),
        );
        asked.splice(0, some.length);
        for (const [index, { resolve }] of some.entries()) resolve(marks[index] ?? null);
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        if (pauseMs === LONGEST_PAUSE_MS) logger.warn({ err: error, partition }, "the ledger does not tell marks yet");
        await pause(pauseMs * (0.5 + Math.random() / 2), undefined, { signal });
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
      asked = waiting.get(partition)!;
    }
    waiting.delete(partition);
  }

  return {
    read(partition, source) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const asked = waiting.get(partition);
        if (asked) {
          asked.push({ source, resolve, reject });
          return;
        }
        waiting.set(partition, [{ source, resolve, reject }]);
        ask(partition).catch((error: unknown) => {
          for (const one of waiting.get(partition) ?? []) one.reject(error);
          waiting.delete(partition);
        });
      });
    },
    close: () => stopping.abort(new Error("stopping")),
  };
}
