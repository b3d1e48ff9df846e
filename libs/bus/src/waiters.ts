/** One who waits for an answer. */
export interface Waiter<M> {
  subject: string;
  /** Monotonic ms. */
  endsAt: number;
  resolve(message: M): void;
  reject(error: unknown): void;
}

/**
 * Everybody who waits, each in a place that is used again. Not a Map: one that every call passes through rebuilds its table
 * all the time, and a table that has grown old holds on to the next and to all calls in it until a full collection of
 * garbage (a fifth of a gateway's time was the copying of calls that had ended). One interval for all deadlines, too: a
 * timer each costs more than the rest of the bookkeeping.
 */
export interface Waiters<M> {
  /** Gives the token that takes this waiter out again: it is never used twice. */
  add(waiter: Waiter<M>): string;
  take(token: string): Waiter<M> | undefined;
  /** Takes out everybody who is meant. */
  takeAll(isMeant: (waiter: Waiter<M>) => boolean): Waiter<M>[];
  stop(): void;
}

const TICK_MS = 10;

/** `onLate` hears of each waiter whose time is over, taken out already, at most two ticks of 10 ms late. */
export function createWaiters<M>(onLate: (waiter: Waiter<M>) => void): Waiters<M> {
  const places: ({ token: string; waiter: Waiter<M> } | undefined)[] = [];
  const free: number[] = [];
  let count = 0;
  let ticking: NodeJS.Timeout | undefined;
  /** No deadline of a waiter is before this. */
  let soonest = Number.POSITIVE_INFINITY;

  function takeAt(place: number): Waiter<M> {
    const { waiter } = places[place]!;
    places[place] = undefined;
    free.push(place);
    return waiter;
  }
  function takeAll(isMeant: (waiter: Waiter<M>) => boolean): Waiter<M>[] {
    const taken: Waiter<M>[] = [];
    for (let place = 0; place < places.length; place++) {
      const held = places[place];
      if (held && isMeant(held.waiter)) taken.push(takeAt(place));
    }
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
      const place = free.pop() ?? places.length;
      const token = `${place}-${++count}`;
      places[place] = { token, waiter };
      soonest = Math.min(soonest, waiter.endsAt);
      ticking ??= setInterval(tick, TICK_MS);
      return token;
    },
    take(token) {
      // "12-345" is place 12; what is no token of ours has no place.
      const place = Number.parseInt(token, 10);
      return places[place]?.token === token ? takeAt(place) : undefined;
    },
    takeAll,
    stop,
  };
}
