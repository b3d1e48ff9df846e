import type { ErrorCode } from "@fnbus/contract";
import { delayAfter } from "./schedule.ts";

/** What came of one POST: the receiver's status, or why there is none. */
export type PostResult =
  | { statusCode: number; retryAfterMs?: number }
  | { errorCode: "callback_failed" | "callback_url_forbidden"; message: string };

export type Judgement =
  | { verdict: "delivered" }
  | { verdict: "retry"; delayMs: number; errorCode: ErrorCode }
  | { verdict: "give-up"; reason: string; errorCode: ErrorCode };

/** A receiver that says "wrong request" rarely changes its mind, but a wrong deployment of it does. */
const REFUSAL_RETRIES = 3;
const passing = new Set([408, 425, 429]);

const isRefusal = (result: PostResult): boolean =>
  "statusCode" in result
    ? result.statusCode >= 300 && result.statusCode < 500 && !passing.has(result.statusCode)
    : result.errorCode === "callback_url_forbidden";

const describe = (result: PostResult): string =>
  "statusCode" in result ? `the receiver answered ${result.statusCode}` : result.message;

/**
 * What follows from the result of try number `attempt` (from 1): 2xx delivered; 410 final; 408, 425, 429, 5xx and no answer are
 * tried again as scheduled; every other answer (redirects are not followed) at most three times.
 */
export function judge(result: PostResult, attempt: number, schedule: readonly number[], random: number): Judgement {
  const statusCode = "statusCode" in result ? result.statusCode : undefined;
  if (statusCode !== undefined && statusCode >= 200 && statusCode < 300) return { verdict: "delivered" };
  if (statusCode === 410)
    return { verdict: "give-up", reason: "the receiver is gone (410)", errorCode: "callback_gone" };
  const errorCode = "errorCode" in result ? result.errorCode : "callback_failed";
  const retryAfterMs = "statusCode" in result ? result.retryAfterMs : undefined;
  const delayMs =
    isRefusal(result) && attempt > REFUSAL_RETRIES ? undefined : delayAfter(schedule, attempt, retryAfterMs, random);
  if (delayMs !== undefined) return { verdict: "retry", delayMs, errorCode };
  return { verdict: "give-up", reason: `${describe(result)}, after ${attempt} tries`, errorCode: "callback_given_up" };
}
