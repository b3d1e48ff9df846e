import { describe, expect, it } from "vitest";
import { createRateLimiter } from "../src/rate-limiter.ts";

const NOW = 1_000_000;

describe("a rate", () => {
  it("allows a burst of one second, then one request each time its share of a second has passed", () => {
    const limiter = createRateLimiter();
    const allowed = Array.from({ length: 15 }, () => limiter.take("k", 10, NOW).allowed);
    expect(allowed.filter(Boolean)).toHaveLength(10);
    expect(limiter.take("k", 10, NOW + 50).allowed).toBe(false);
    expect(limiter.take("k", 10, NOW + 101)).toMatchObject({ allowed: true, remaining: 0 });
    expect(limiter.take("other", 10, NOW)).toMatchObject({ allowed: true, remaining: 9 });
    expect(limiter.take("k", 10, NOW - 5000).allowed).toBe(false);
  });
});
