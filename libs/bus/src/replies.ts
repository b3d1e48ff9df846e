import { createInbox, type Msg } from "@nats-io/transport-node";
import type { Connection } from "./connection.ts";
import { BusError, raise } from "./errors.ts";
import { toInboxPrefix } from "./first-connection.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Headers } from "./types.ts";
import { createWaiters, type Waiter } from "./waiters.ts";

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

export function createReplies(connection: Connection, outgoing: Outgoing, name: string): Replies {
  const { nc } = connection;
  const prefix = `${createInbox(toInboxPrefix(name))}.`;
  const waiters = createWaiters<Msg>(({ subject, reject }) =>
    reject(new BusError("timeout", `${subject} did not answer in time`)),
  );
  const inboxes = new Map<string, (message: Msg) => void>();
  let opened = 0;

  const receive = (message: Msg) => {
    const token = message.subject.slice(prefix.length);
    const waiter = waiters.take(token);
    if (!waiter) {
      inboxes.get(token)?.(message);
    } else if (message.data.length === 0 && message.headers?.code === NO_RESPONDERS) {
      waiter.reject(new BusError("no_responders", `nobody listens on ${waiter.subject}`));
    } else {
      waiter.resolve(message);
    }
  };
  nc.subscribe(`${prefix}*`, {
    callback: (error, message) => {
      try {
        if (error) throw error;
        receive(message);
      } catch (thrown) {
        raise(thrown);
      }
    },
  });
  connection.onStatus((status) => {
    if (status !== "disconnected") return;
    for (const { subject, reject } of waiters.takeAll(() => true))
      reject(new BusError("disconnected", `connection lost while ${subject} was to answer`));
  });
  connection.onForbidden((subject) => {
    for (const { reject } of waiters.takeAll((waiter) => waiter.subject === subject))
      reject(new BusError("forbidden", `this user may not publish to ${subject}`));
  });

  return {
    ask(subject, data, timeoutMs, headers, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const waiter = { subject, endsAt: performance.now() + timeoutMs, resolve, reject };
        const token = waiters.add(signal ? untilAborted(waiter, signal, () => waiters.take(token)) : waiter);
        try {
          outgoing.send(subject, data, prefix + token, headers);
        } catch (error) {
          waiters.take(token)!.reject(error);
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

/** The same waiter, who gives up when `signal` is aborted: `leave` takes it out. */
function untilAborted(waiter: Waiter<Msg>, signal: AbortSignal, leave: () => void): Waiter<Msg> {
  const onAbort = () => {
    leave();
    waiter.reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const settled = () => signal.removeEventListener("abort", onAbort);
  return {
    ...waiter,
    resolve(message) {
      settled();
      waiter.resolve(message);
    },
    reject(error) {
      settled();
      waiter.reject(error);
    },
  };
}
