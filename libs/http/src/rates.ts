import type { ServerResponse } from "node:http";
import { type AccessKey, FnbusError } from "@fnbus/contract";
import { createRateLimiter } from "./rate-limiter.ts";

/** How often a key may ask. */
export interface Rates {
  /** Requests a second that it may make; 0: not limited. */
  of(key: AccessKey): number;
  /**
   * Counts a request; a client's tokens share its rate. Sets the headers of draft-ietf-httpapi-ratelimit-headers.
   * Throws `rate_limited`.
   */
  take(key: AccessKey, nowMs: number, response: ServerResponse): void;
}

/** `keyRate`: of a key that has none of its own. */
export function createRates(keyRate: number): Rates {
  const limiter = createRateLimiter();
  const of = (key: AccessKey): number => key.rate ?? keyRate;
  return {
    of,
    take(key, nowMs, response) {
      const rate = of(key);
      if (rate <= 0) return;
      const { allowed, remaining, retryAfterSeconds } = limiter.take(key.client ?? key.id, rate, nowMs);
      response.setHeader("ratelimit-policy", `"key";q=${rate};w=1`);
      response.setHeader("ratelimit", `"key";r=${remaining};t=${Math.max(1, retryAfterSeconds)}`);
      if (!allowed) throw new FnbusError("rate_limited", undefined, { retryAfterSeconds });
    },
  };
}
