import { createInbox, type Msg } from "@nats-io/transport-node";
import type { Connection } from "./connection.ts";
import { BusError } from "./errors.ts";
import { toInboxPrefix } from "./first-connection.ts";
import { listen } from "./listen.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Headers } from "./types.ts";
import { createWaiters, type Waiter, type Waiters } from "./waiters.ts";

/**
 * Answers: one wildcard subscription and a table of who waits, instead of a subscription and a timer for each request.
 * On a lost connection everybody who waits is told `disconnected` at once, and `forbidden` where the broker dropped the
 * question (the client would let them run to their time-out).
 */
export interface Replies {
  /** Sends and waits for one answer. Rejects with `timeout`, `no_responders`, `disconnected`, `too_large`, `forbidden`. */
  ask(subject: string, data: Uint8Array, timeoutMs: number, headers?: Headers, signal?: AbortSignal): Promise<Msg>;
  /** A subject for many answers. */
  open(handler: (message: Msg) => void): { subject: string; close(): void };
  stop(): void;
}

const NO_RESPONDERS = 503;

/** Who waits for one message. */
interface Asker extends Waiter {
  resolve(message: Msg): void;
}

export const isNoResponders = (message: Msg): boolean =>
  message.data.length === 0 && message.headers?.code === NO_RESPONDERS;

export const noResponders = (subject: string): BusError =>
  new BusError("no_responders", `nobody listens on ${subject}`);

/** A table of who waits, which tells them at once when no answer can come any more. */
export function createConnectedWaiters<W extends Waiter>(connection: Connection): Waiters<W> {
  const waiters = createWaiters<W>(({ subject, reject }) =>
    reject(new BusError("timeout", `${subject} did not answer in time`)),
  );
  connection.onStatus((status) => {
    if (status !== "disconnected") return;
    for (const { subject, reject } of waiters.takeAll(() => true))
      reject(new BusError("disconnected", `connection lost while ${subject} was to answer`));
  });
  connection.onForbidden((subject) => {
    for (const { reject } of waiters.takeAll((waiter) => waiter.subject === subject))
      reject(new BusError("forbidden", `this user may not publish to ${subject}`));
  });
  return waiters;
}

export function createReplies(connection: Connection, outgoing: Outgoing, name: string): Replies {
  const prefix = `${createInbox(toInboxPrefix(name))}.`;
  const waiters = createConnectedWaiters<Asker>(connection);
  const inboxes = new Map<string, (message: Msg) => void>();
  let opened = 0;

  const receive = (message: Msg) => {
    const token = message.subject.slice(prefix.length);
    const [place, count] = token.split("-", 2);
    const waiter = waiters.take(Number(place), Number(count));
    if (!waiter) {
      inboxes.get(token)?.(message);
    } else if (isNoResponders(message)) {
      waiter.reject(noResponders(waiter.subject));
    } else {
      waiter.resolve(message);
    }
  };
  listen(connection.nc, `${prefix}*`, receive);

  return {
    ask(subject, data, timeoutMs, headers, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const asker: Asker = { subject, endsAt: performance.now() + timeoutMs, resolve, reject, place: 0, count: 0 };
        if (signal) giveUpWhenAborted(asker, signal, () => waiters.take(asker.place, asker.count));
        waiters.add(asker);
        try {
          outgoing.send(subject, data, `${prefix}${asker.place}-${asker.count}`, headers);
        } catch (error) {
          waiters.take(asker.place, asker.count)!.reject(error);
        }
      });
    },
    open(handler) {
      const token = `i${++opened}`;
      inboxes.set(token, handler);
      return { subject: prefix + token, close: () => inboxes.delete(token) };
    },
    stop: waiters.stop,
  };
}

/** Makes it give up when `signal` is aborted: `leave` takes it out. */
function giveUpWhenAborted(asker: Asker, signal: AbortSignal, leave: () => void): void {
  const { resolve, reject } = asker;
  const onAbort = () => {
    leave();
    reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const settled = () => signal.removeEventListener("abort", onAbort);
  asker.resolve = (message) => {
    settled();
    resolve(message);
  };
  asker.reject = (error) => {
    settled();
    reject(error);
  };
}
