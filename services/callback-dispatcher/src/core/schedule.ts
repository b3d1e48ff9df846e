const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const JITTER = 0.2;
/** The longest wait that a receiver may ask for by Retry-After. */
export const RETRY_AFTER_CAP_MS = 24 * 3_600_000;

/** "250ms", "5s", "30m", "2h", "5d" as milliseconds. Throws RangeError. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) throw new RangeError(`${JSON.stringify(text)} is no time such as 250ms, 5s, 30m, 2h or 5d`);
  return Number(match[1]) * unitMs[match[2]!]!;
}

/** Delays before the second, third, ... try, comma-separated. Throws RangeError. */
export const parseSchedule = (text: string): number[] => text.split(",").map(parseDuration);

/**
 * When to try again after `failed` tries: the schedule's delay ±20 %, and not before the receiver asked for it.
 * undefined: the schedule is used up. `random`: 0..1.
 */
export function delayAfter(
  schedule: readonly number[],
  failed: number,
  retryAfterMs: number | undefined,
  random: number,
): number | undefined {
  const delay = schedule[failed - 1];
  if (delay === undefined) return undefined;
  const spread = Math.round(delay * (1 - JITTER + 2 * JITTER * random));
  return Math.max(spread, Math.min(retryAfterMs ?? 0, RETRY_AFTER_CAP_MS));
}

/** Retry-After (RFC 9110 section 10.2.3): seconds or an HTTP date, as milliseconds from now. undefined: neither. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, RETRY_AFTER_CAP_MS);
  // Only the form with a name of the day: Date.parse would read "-5" and "1e9" as years.
  const at = /^[A-Z][a-z]{2,8}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - nowMs, 0), RETRY_AFTER_CAP_MS);
}
