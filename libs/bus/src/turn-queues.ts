import type { Outgoing } from "./outgoing.ts";

/** Of a pack with more than one call: what is lost with it, and kept in memory by its longest call, stays small. */
const PACK_BYTES = 256 * 1024;

/**
 * So many of one turn do not wait for its end: whoever is to have them begins while this process goes on with the turn. Else
 * all who call at once travel as one wave, in which one process works and the others wait (a fifth of the rate of 64 callers,
 * measured; with a third as many, messages cost more than half of that gain).
 */
const WAITING_ENTRIES = 24;

/** What one turn of the event loop has for each subject. */
export interface TurnQueues<E> {
  add(subject: string, entry: E): void;
  flush(): void;
}

/** `send`: sends the entries of a subject, at the end of their turn or before. All of one turn leave as one write. */
export function createTurnQueues<E>(
  outgoing: Outgoing,
  send: (subject: string, entries: readonly E[]) => void,
): TurnQueues<E> {
  let queues = new Map<string, E[]>();

  function flush(): void {
    const sending = queues;
    queues = new Map();
    for (const [subject, entries] of sending) send(subject, entries);
    outgoing.flush();
  }

  return {
    add(subject, entry) {
      if (queues.size === 0) setImmediate(flush);
      const queue = queues.get(subject);
      if (!queue) queues.set(subject, [entry]);
      else if (queue.push(entry) === WAITING_ENTRIES) flush();
    },
    flush,
  };
}

/** Cuts what waits into packs of at most so many entries, and of `PACK_BYTES` where there is more than one. */
export function* toPacks<E extends { bytes: number }>(
  waiting: readonly E[],
  most: number,
): Generator<{ entries: E[]; bytes: number }> {
  let entries: E[] = [];
  let bytes = 0;
  for (const entry of waiting) {
    if (entries.length === most || (entries.length > 0 && bytes + entry.bytes > PACK_BYTES)) {
      yield { entries, bytes };
      entries = [];
      bytes = 0;
    }
    entries.push(entry);
    bytes += entry.bytes;
  }
  if (entries.length > 0) yield { entries, bytes };
}
