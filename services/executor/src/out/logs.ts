import type { Bus } from "@fnbus/bus";
import { type LogLine, subjects } from "@fnbus/contract";

/** Lines of one function that wait to be published together. */
interface Batch {
  lines: LogLine[];
  bytes: number;
}

const FLUSH_MS = 50;
const BATCH_BYTES = 256 * 1024;
/** What waits in all; what is over is dropped and counted (I11). */
const WAITING_BYTES = 8 * 1024 * 1024;
const LINE_OVERHEAD = 200;

/** Publishes functions' output on logs.<space>.<name>, in batches. Never blocks, never holds more than its bound. */
export function createLogPublisher(bus: Bus, onDropped: (lines: number) => void) {
  const batches = new Map<string, Batch>();
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function publish(subject: string, lines: LogLine[]): void {
    try {
      bus.publish(subject, Buffer.from(JSON.stringify(lines)));
    } catch {
      onDropped(lines.length);
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [subject, batch] of batches) publish(subject, batch.lines);
    batches.clear();
    waitingBytes = 0;
  }

  return {
    add(space: string, line: LogLine): void {
      const bytes = Buffer.byteLength(line.text) + LINE_OVERHEAD;
      if (waitingBytes + bytes > WAITING_BYTES) {
        onDropped(1);
        return;
      }
      const subject = subjects.logs(space, line.function);
      let batch = batches.get(subject);
      if (!batch) {
        batch = { lines: [], bytes: 0 };
        batches.set(subject, batch);
      }
      if (batch.bytes + bytes > BATCH_BYTES && batch.lines.length > 0) {
        publish(subject, batch.lines);
        waitingBytes -= batch.bytes;
        batch.lines = [];
        batch.bytes = 0;
      }
      batch.lines.push(line);
      batch.bytes += bytes;
      waitingBytes += bytes;
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    flush,
    dropped: onDropped,
  };
}
export type LogPublisher = ReturnType<typeof createLogPublisher>;
