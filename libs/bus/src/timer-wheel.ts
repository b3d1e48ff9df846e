/** One interval for all waiting requests: a timer each costs more than the request's own bookkeeping. */

const TICK_MS = 10;

export interface WheelTimer {
  cancel(): void;
}

export interface TimerWheel {
  /** Calls `onTime` after at least `delayMs`, at most two ticks of 10 ms late. */
  start(delayMs: number, onTime: () => void): WheelTimer;
  stop(): void;
}

export function createTimerWheel(): TimerWheel {
  const slots = new Map<number, Set<() => void>>();
  let turning: NodeJS.Timeout | undefined;
  let done = 0;
  const now = () => Math.floor(performance.now() / TICK_MS);
  const turn = () => {
    const until = now();
    for (; done < until && slots.size > 0; done++) {
      const slot = slots.get(done);
      if (!slot) continue;
      slots.delete(done);
      for (const onTime of slot) onTime();
    }
    done = Math.max(done, until);
    if (slots.size === 0) {
      clearInterval(turning);
      turning = undefined;
    }
  };
  return {
    start(delayMs, onTime) {
      if (!turning) {
        done = now();
        turning = setInterval(turn, TICK_MS);
      }
      const tick = Math.max(now(), done) + Math.ceil(delayMs / TICK_MS);
      let slot = slots.get(tick);
      if (!slot) {
        slot = new Set();
        slots.set(tick, slot);
      }
      // Two timers may share one function object; the wrapper keeps them apart.
      const own = () => onTime();
      slot.add(own);
      return {
        cancel() {
          slot.delete(own);
          if (slot.size === 0 && slots.get(tick) === slot) slots.delete(tick);
        },
      };
    },
    stop() {
      clearInterval(turning);
      turning = undefined;
      slots.clear();
    },
  };
}
