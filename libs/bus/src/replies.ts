import { createInbox, type Msg } from "@nats-io/transport-node";
import type { Connection } from "./connection.ts";
import { BusError, raise } from "./errors.ts";
import { toInboxPrefix } from "./first-connection.ts";
import type { Outgoing } from "./outgoing.ts";
import { createTimerWheel, type WheelTimer } from "./timer-wheel.ts";
import type { Headers } from "./types.ts";

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

interface Waiter {
  subject: string;
  resolve(message: Msg): void;
  reject(error: unknown): void;
  timer: WheelTimer;
}

const NO_RESPONDERS = 503;

export function createReplies(connection: Connection, outgoing: Outgoing, name: string): Replies {
  const { nc } = connection;
  const prefix = `${createInbox(toInboxPrefix(name))}.`;
  const waiters = new Map<string, Waiter>();
  const inboxes = new Map<string, (message: Msg) => void>();
  const wheel = createTimerWheel();
  let count = 0;

  const take = (token: string): Waiter | undefined => {
    const waiter = waiters.get(token);
    if (!waiter) return undefined;
    waiters.delete(token);
    waiter.timer.cancel();
    return waiter;
  };
  const receive = (message: Msg) => {
    const token = message.subject.slice(prefix.length);
    const waiter = take(token);
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
  const refuse = (isMeant: (waiter: Waiter) => boolean, toError: (waiter: Waiter) => BusError) => {
    for (const [token, waiter] of [...waiters]) if (isMeant(waiter)) take(token)!.reject(toError(waiter));
  };
  connection.onStatus((status) => {
    const toError = ({ subject }: Waiter) =>
      new BusError("disconnected", `connection lost while ${subject} was to answer`);
    if (status === "disconnected") refuse(() => true, toError);
  });
  connection.onForbidden((subject) =>
    refuse(
      (waiter) => waiter.subject === subject,
      () => new BusError("forbidden", `this user may not publish to ${subject}`),
    ),
  );

  return {
    ask(subject, data, timeoutMs, headers, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const token = (++count).toString(36);
        outgoing.send(subject, data, prefix + token, headers);
        const timer = wheel.start(timeoutMs, () =>
          take(token)?.reject(new BusError("timeout", `${subject} did not answer within ${timeoutMs} ms`)),
        );
        if (!signal) {
          waiters.set(token, { subject, resolve, reject, timer });
          return;
        }
        const onAbort = () => take(token)?.reject(signal.reason);
        signal.addEventListener("abort", onAbort, { once: true });
        const settled = () => signal.removeEventListener("abort", onAbort);
        waiters.set(token, {
          subject,
          timer,
          resolve(message) {
            settled();
            resolve(message);
          },
          reject(error) {
            settled();
            reject(error);
          },
        });
      });
    },
    open(handler) {
      const token = (++count).toString(36);
      inboxes.set(token, handler);
      return { subject: prefix + token, close: () => inboxes.delete(token) };
    },
    stop: () => wheel.stop(),
  };
}
