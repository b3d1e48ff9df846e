import { createInbox, type Msg } from "@nats-io/transport-node";
import { decodeCallPack, encodeCallPack, entryBytes } from "./call-packs.ts";
import type { Connection } from "./connection.ts";
import { BusError } from "./errors.ts";
import { toInboxPrefix } from "./first-connection.ts";
import { listen } from "./listen.ts";
import type { Outgoing } from "./outgoing.ts";
import { createConnectedWaiters, isNoResponders, noResponders } from "./replies.ts";
import { createTurnQueues, toPacks } from "./turn-queues.ts";
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

export function createCalls(connection: Connection, outgoing: Outgoing, name: string): Calls {
  const prefix = `${createInbox(toInboxPrefix(name))}.`;
  const waiters = createConnectedWaiters<Caller>(connection);
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
  const queues = createTurnQueues<Caller>(outgoing, (subject, callers) => {
    const most = Math.ceil(callers.length / Math.max(...callers.map(({ spread }) => spread)));
    for (const { entries, bytes } of toPacks(callers, most)) sendPack(subject, entries, bytes);
  });

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
        queues.add(subject, caller);
      });
    },
    stop: waiters.stop,
  };
}
