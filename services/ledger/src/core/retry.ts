import { type EndState, type ErrorCode, errorRow, type RetryPolicy } from "@fnbus/contract";

/** A platform failure (I9) is tried again so often in all, whatever the policy says of the function's own errors. */
const PLATFORM_ATTEMPTS = 3;
const PLATFORM_DELAY_MS = 1_000;

export type AfterFailure = { again: true; delayMs: number } | { again: false; state: EndState };

/**
 * What follows a failed attempt (I3). Failed: no try of this error is allowed. Dead-lettered: the tries are used up.
 * `failures` counts this one. `share` is 0..1, the jitter's, the same on every replica.
 */
export function afterFailure(policy: RetryPolicy, code: ErrorCode, failures: number, share: number): AfterFailure {
  const row = errorRow(code);
  const named = policy.on.includes(code);
  const ofPlatform = row.side === "platform" && row.retry === "later" && !named;
  const allowed = ofPlatform || named || (policy.on.length === 0 && row.side === "function");
  const attempts = ofPlatform ? Math.max(PLATFORM_ATTEMPTS, policy.maxAttempts) : policy.maxAttempts;
  if (!allowed || attempts <= 1) return { again: false, state: "failed" };
  if (failures >= attempts) return { again: false, state: "dead-lettered" };
  const first = ofPlatform ? Math.max(PLATFORM_DELAY_MS, policy.firstDelayMs) : policy.firstDelayMs;
  const grown = Math.min(Math.max(policy.maxDelayMs, first), first * policy.factor ** (failures - 1));
  return { again: true, delayMs: Math.round(grown * (1 - policy.jitter * share)) };
}

/** A share of 0..1 from id and attempt: jitter without randomness (L8). */
export function jitterShare(words: Uint32Array, at: number, attempt: number): number {
  let hash = words[at + 3]! ^ Math.imul(attempt, 0x9e3779b9);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
