import type { IPublishPacket } from "mqtt";

interface Entry {
  /** Of a message that is to be acknowledged. */
  id: number | undefined;
  bytes: number;
  isDone: boolean;
}

/** Messages of one connection that are on their way at once, and their bytes: more are not read (I11). */
export const MAX_IN_HAND = 64;
const MAX_BYTES = 16 * 1024 * 1024;

/** Messages of one connection that were received and are not acknowledged. */
export interface InHand {
  /** `next` asks for the next message; it is not asked for while too much is in hand. */
  take(packet: IPublishPacket, next: () => void): void;
  /** Nothing is read, because too much is in hand. */
  readonly isFull: boolean;
  /** Resolves when everything in hand has been handled, or has failed. */
  settled(): Promise<void>;
  /**
   * Acknowledges everything that is done, before the connection is closed. Out of order where something before it is not:
   * MQTT wants it in order (4.6.0-2), and every broker finds it by its id; else it would be invoked again.
   */
  close(): void;
}

/**
 * MQTT.js hands over one message at a time, the next after the acknowledgement of the one before; so it would take a round trip
 * and two system calls each. Here it goes on at once, and the acknowledgements are our own: in the order of receipt, each when its
 * message is handled, those of one turn of the event loop in one write. `fail` hears of what could not be handled.
 */
export function createInHand(
  handle: (packet: IPublishPacket) => Promise<void>,
  write: (bytes: Buffer) => void,
  fail: (error: unknown) => void,
): InHand {
  const entries: Entry[] = [];
  const handling = new Set<Promise<void>>();
  let bytes = 0;
  let waiting: (() => void) | undefined;
  let isPlanned = false;
  let isClosed = false;

  const acknowledge = (ids: number[]) => {
    if (ids.length > 0) write(Buffer.concat(ids.map(toPuback)));
  };
  const flush = () => {
    isPlanned = false;
    if (isClosed) return;
    const done = entries.findIndex((entry) => !entry.isDone);
    const ended = entries.splice(0, done < 0 ? entries.length : done);
    for (const entry of ended) bytes -= entry.bytes;
    acknowledge(ended.flatMap(({ id }) => id ?? []));
    if (!waiting || isFull()) return;
    const next = waiting;
    waiting = undefined;
    next();
  };
  const isFull = () => entries.length >= MAX_IN_HAND || bytes >= MAX_BYTES;

  return {
    take(packet, next) {
      const entry: Entry = {
        id: packet.qos > 0 ? packet.messageId : undefined,
        bytes: packet.payload.length,
        isDone: false,
      };
      entries.push(entry);
      bytes += entry.bytes;
      const handled: Promise<void> = handle(packet)
        .then(() => {
          entry.isDone = true;
          if (!isPlanned) setImmediate(flush);
          isPlanned = true;
        }, fail)
        .finally(() => handling.delete(handled));
      handling.add(handled);
      if (isFull()) waiting = next;
      else next();
    },
    get isFull() {
      return waiting !== undefined;
    },
    async settled() {
      await Promise.all(handling);
    },
    close() {
      isClosed = true;
      acknowledge(entries.flatMap(({ id, isDone }) => (isDone ? (id ?? []) : [])));
    },
  };
}

/** The same in 3.1.1 (3.4) and 5 (3.4.2.1: no reason code means success). */
const toPuback = (id: number): Buffer => Buffer.from([0x40, 2, id >> 8, id & 0xff]);
