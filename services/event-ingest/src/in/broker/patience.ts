import { setTimeout as sleep } from "node:timers/promises";

/** Pauses that double, half of each at random, so that many sources do not come back at once. */
export interface Patience {
  /** Throws the signal's reason where it ends the wait. */
  wait(): Promise<void>;
  reset(): void;
}

export function createPatience(firstMs: number, longestMs: number, signal: AbortSignal): Patience {
  let pauseMs = firstMs;
  return {
    async wait() {
      const thisMs = pauseMs * (0.5 + Math.random() / 2);
      pauseMs = Math.min(longestMs, pauseMs * 2);
      await sleep(thisMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
    reset() {
      pauseMs = firstMs;
    },
  };
}
