import { createInbox, type Msg } from "@nats-io/transport-node";
import { decodeCallPack, encodeCallPack, entryBytes } from "./call-packs.ts";
import type { Connection } from "./connection.ts";
import { BusError } from "./errors.ts";
import { toInboxPrefix } from "./first-connection.ts";
import { listen } from "./listen.ts";
import type { Outgoing } from "./outgoing.ts";
import { createConnectedWaiters, isNoResponders, noResponders } from "./replies.ts";
import type { CallAnswer, CallOptions } from "./types.ts";
import type { Waiter } from "./waiters.ts";

/**
 * Calls in packs: what one turn of the event loop asks of one subject is one message or a few, and so are the answers. A
 * message costs broker and client more than a call of 1 KB does.
 */
export interface Calls {
  call(subject: string, head: string, body: Uint8Array, options: CallOptions): Promise<CallAnswer>;
  stop(): void;
}

/** Last token of the subject that a caller's answers come on, whichever pack they belong to. */
export const ANSWERS = "answers";

/** Who waits for an answer. `pack`: the message that it was sent in. */
interface Caller extends Waiter {
  head: string;
  body: Uint8Array;
  bytes: number;
  spread: number;
  pack: number;
  resolve(answer: CallAnswer): void;
}

/** Of a pack with more than one call: what is lost with it, and kept in memory by its longest call, stays small. */
export const PACK_BYTES = 256 * 1024;

/**
 * So many of one turn do not wait for its end: whoever is to have them begins while this process goes on with the turn. Else
 * all who call at once travel as one wave, in which one process works and the others wait (a fifth of the rate of 64 callers,
 * measured; with a third as many, messages cost more than half of that gain).
 */
export const WAITING_ENTRIES = 24;

export function createCalls(connection: Connection, outgoing: Outgoing, name: string): Calls {
  const prefix = `${createInbox(toInboxPrefix(name))}.`;
  const waiters = createConnectedWaiters<Caller>(connection);
  let queues = new Map<string, Caller[]>();
  let packs = 0;

  const receive = (message: Msg) => {
    const token = message.subject.slice(prefix.length);
    if (token === ANSWERS) {
      decodeCallPack(message.data, ({ place, count, head, body }) =>
        waiters.take(place, count)?.resolve({ head, body }),
      );
    } else if (isNoResponders(message)) {
      for (const { subject, reject } of waiters.takeAll(({ pack }) => pack === Number(token)))
        reject(noResponders(subject));
    }
  };
  listen(connection.nc, `${prefix}*`, receive);

  function sendPack(subject: string, callers: readonly Caller[], bytes: number): void {
    const pack = ++packs;
    for (const caller of callers) caller.pack = pack;
    try {
      outgoing.send(subject, encodeCallPack(callers, bytes), `${prefix}${pack}`);
    } catch (error) {
      for (const { place, count } of callers) waiters.take(place, count)?.reject(error);
    }
  }
  function flush(): void {
    const sending = queues;
    queues = new Map();
    for (const [subject, callers] of sending) {
      const most = Math.ceil(callers.length / Math.max(...callers.map(({ spread }) => spread)));
      for (const { entries, bytes } of toPacks(callers, most)) sendPack(subject, entries, bytes);
    }
    outgoing.flush();
  }

  return {
    call(subject, head, body, { timeoutMs, spread = 1 }) {
      return new Promise((resolve, reject) => {
        if (!connection.isConnected()) throw new BusError("disconnected", `cannot call ${subject}: not connected`);
        const bytes = entryBytes(head, body);
        const limit = connection.server().maxPayload;
        if (bytes > limit) throw new BusError("too_large", `${bytes} bytes to ${subject}: the broker takes ${limit}`);
        const caller: Caller = {
          ...{ subject, endsAt: performance.now() + timeoutMs, head, body, bytes, spread, resolve, reject },
          ...{ pack: 0, place: 0, count: 0 },
        };
        waiters.add(caller);
        if (queues.size === 0) setImmediate(flush);
        const queue = queues.get(subject);
        if (!queue) queues.set(subject, [caller]);
        else if (queue.push(caller) === WAITING_ENTRIES) flush();
      });
    },
    stop: waiters.stop,
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
