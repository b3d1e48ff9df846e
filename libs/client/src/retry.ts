import { type ErrorCode, errorRow, isErrorCode } from "@fnbus/contract";
import type { ClientError } from "./client-error.ts";

/** Refusals after which certainly nothing ran, whatever the request was. */
const refused: ReadonlySet<ErrorCode> = new Set([
  "rate_limited",
  "concurrency_limited",
  "function_backlog_full",
  "backlog_full",
  "overloaded",
  "kept_keys_full",
  "stopping",
  "no_executor",
  "function_not_ready",
]);

const FIRST_MS = 200;
const LONGEST_MS = 10_000;

/**
 * How long to wait before the next try, or undefined: no more tries. A request that is safe to repeat (it reads, replaces,
 * or carries an idempotency key) is tried again for what the error table calls "later" or "same-key" and when no answer
 * came; any other only where it was refused before anything ran. `random` is 0..1: half of the wait is jitter.
 */
export function retryDelayMs(
  error: ClientError,
  request: { attempt: number; retries: number; isSafe: boolean },
  random: number,
): number | undefined {
  if (request.attempt > request.retries) return undefined;
  const { code } = error;
  const isRefused = isErrorCode(code) && refused.has(code);
  const isPassing = code === "unreachable" || (isErrorCode(code) && errorRow(code).retry !== "no");
  if (!isRefused && !(request.isSafe && isPassing)) return undefined;
  const backOffMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (request.attempt - 1));
  return Math.max(backOffMs * (0.5 + random / 2), (error.retryAfterSeconds ?? 0) * 1000);
}
