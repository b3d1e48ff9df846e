/** How long the best sample counts: longer than the lease's renewals are apart, short enough to follow a clock that was set. */
const BUCKET_MS = 15_000;

/** The broker's clock as it can be known from time stamps of its messages (L6). */
export interface BrokerClock {
  /** A time stamp of a message that was just read: the broker's clock stood at least there. */
  saw(at: number): void;
  /** ms since 1970. */
  now(): number;
}

/**
 * A stamp is never newer than the broker's clock when it is read, so the greatest difference to our monotonic clock
 * among recent ones is the nearest to the truth: old messages of a replay do no harm. `wall` serves until the first.
 */
export function createBrokerClock(mono: () => number, wall: () => number): BrokerClock {
  let previous = Number.NEGATIVE_INFINITY;
  let current = Number.NEGATIVE_INFINITY;
  let bucketAt = mono();
  const fallback = wall() - mono();
  return {
    saw(at) {
      const now = mono();
      if (now - bucketAt > BUCKET_MS) {
        previous = current;
        current = Number.NEGATIVE_INFINITY;
        bucketAt = now;
      }
      if (at - now > current) current = at - now;
    },
    now() {
      const offset = Math.max(previous, current);
      return mono() + (Number.isFinite(offset) ? offset : fallback);
    },
  };
}
