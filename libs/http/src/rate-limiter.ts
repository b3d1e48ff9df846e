/** Requests of a key that are not spent within a second are kept for a burst of so many seconds. */
const BURST_SECONDS = 1;
/** Keys remembered at once; the ones that asked longest ago go first (I11). A forgotten bucket was full by then. */
const MAX_BUCKETS = 10_000;

export interface RateDecision {
  allowed: boolean;
  /** Whole requests left now. */
  remaining: number;
  /** Until one more is allowed, seconds, at least 1 where it was refused. */
  retryAfterSeconds: number;
}

/** A token bucket a key. */
export interface RateLimiter {
  take(key: string, perSecond: number, nowMs: number): RateDecision;
}

export function createRateLimiter(): RateLimiter {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take(key, perSecond, nowMs) {
      const capacity = Math.max(1, perSecond * BURST_SECONDS);
      const bucket = buckets.get(key) ?? { tokens: capacity, at: nowMs };
      const tokens = Math.min(capacity, bucket.tokens + (Math.max(0, nowMs - bucket.at) / 1000) * perSecond);
      const allowed = tokens >= 1;
      buckets.delete(key);
      buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: nowMs });
      if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value!);
      return {
        allowed,
        remaining: Math.max(0, Math.floor(allowed ? tokens - 1 : tokens)),
        retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond)),
      };
    },
  };
}
