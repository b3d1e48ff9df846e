import { FnbusError } from "@fnbus/contract";

/** Callers that wait for an end at once (I11). */
const WAITERS_MAX = 20_000;

/** Who waits for the end of which invocation. */
export interface Waiters<T> {
  /** Resolves with what `tell` gives, or undefined when the time is over. Throws `overloaded`. */
  wait(id: string, timeoutMs: number): { ended: Promise<T | undefined>; cancel(): void };
  has(id: string): boolean;
  tell(id: string, ended: T): void;
  /** Ends all waits without an end: the owner stops. */
  close(): void;
}

export function createWaiters<T>(): Waiters<T> {
  const waiting = new Map<string, Set<(ended: T | undefined) => void>>();
  let count = 0;
  return {
    wait(id, timeoutMs) {
      if (count >= WAITERS_MAX) throw new FnbusError("overloaded", "too many callers wait for ends");
      const { promise, resolve } = Promise.withResolvers<T | undefined>();
      const waiters = waiting.get(id) ?? new Set();
      const settle = (ended: T | undefined) => {
        if (!waiters.delete(settle)) return;
        count--;
        if (waiters.size === 0) waiting.delete(id);
        clearTimeout(timer);
        resolve(ended);
      };
      const timer = setTimeout(settle, timeoutMs, undefined);
      waiters.add(settle);
      waiting.set(id, waiters);
      count++;
      return { ended: promise, cancel: () => settle(undefined) };
    },
    has: (id) => waiting.has(id),
    tell(id, ended) {
      for (const settle of waiting.get(id) ?? []) settle(ended);
    },
    close() {
      for (const waiters of waiting.values()) for (const settle of waiters) settle(undefined);
    },
  };
}
