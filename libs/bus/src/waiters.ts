/** One who waits for an answer. What the answer resolves is for whoever keeps the table. */
export interface Waiter {
  subject: string;
  /** Monotonic ms. */
  endsAt: number;
  reject(error: unknown): void;
  /** Set when added: the place is used again, place and count together are not. */
  place: number;
  count: number;
}

/**
 * Everybody who waits, each in a place that is used again. Not a Map: one that every call passes through rebuilds its table
 * all the time, and a table that has grown old holds on to the next and to all calls in it until a full collection of
 * garbage (a fifth of a gateway's time was the copying of calls that had ended). One interval for all deadlines, too: a
 * timer each costs more than the rest of the bookkeeping.
 */
export interface Waiters<W extends Waiter> {
  add(waiter: W): void;
  take(place: number, count: number): W | undefined;
  /** Takes out everybody who is meant. */
  takeAll(isMeant: (waiter: W) => boolean): W[];
  stop(): void;
}

const TICK_MS = 10;

/** `onLate` hears of each waiter whose time is over, taken out already, at most two ticks of 10 ms late. */
export function createWaiters<W extends Waiter>(onLate: (waiter: W) => void): Waiters<W> {
  const places: (W | undefined)[] = [];
  const free: number[] = [];
  let count = 0;
  let ticking: NodeJS.Timeout | undefined;
  /** No deadline of a waiter is before this. */
  let soonest = Number.POSITIVE_INFINITY;

  function takeOut(waiter: W): W {
    places[waiter.place] = undefined;
    free.push(waiter.place);
    return waiter;
  }
  function takeAll(isMeant: (waiter: W) => boolean): W[] {
    const taken: W[] = [];
    for (const waiter of places) if (waiter && isMeant(waiter)) taken.push(takeOut(waiter));
    return taken;
  }
  function tick(): void {
    if (free.length === places.length) {
      stop();
      return;
    }
    const now = performance.now();
    if (now < soonest) return;
    soonest = Number.POSITIVE_INFINITY;
    const late = takeAll(({ endsAt }) => {
      if (endsAt <= now) return true;
      soonest = Math.min(soonest, endsAt);
      return false;
    });
    for (const waiter of late) onLate(waiter);
  }
  function stop(): void {
    clearInterval(ticking);
    ticking = undefined;
    soonest = Number.POSITIVE_INFINITY;
  }

  return {
    add(waiter) {
      waiter.place = free.pop() ?? places.length;
      // It goes over the wire as an unsigned number of 32 bits.
      count = (count + 1) >>> 0;
      waiter.count = count;
      places[waiter.place] = waiter;
      soonest = Math.min(soonest, waiter.endsAt);
      ticking ??= setInterval(tick, TICK_MS);
    },
    take(place, number) {
      const waiter = places[place];
      return waiter?.count === number ? takeOut(waiter) : undefined;
    },
    takeAll,
    stop,
  };
}
