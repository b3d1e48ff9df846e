import type { FunctionSettings } from "@fnbus/contract";

/** For starting an instance before the function's own time begins, so that a slow function is told as such (I9). */
const START_MS = 10_000;

/** How long a synchronous call may take in all, ms: the function's time with its start, the gateway's limit, the caller's. */
export function toDeadlineMs(settings: FunctionSettings, limitMs: number, callerMs: number | undefined): number {
  const start = settings.initializer === "" ? START_MS : START_MS + settings.initializerTimeoutMs;
  return Math.min(settings.timeoutMs + start, limitMs, callerMs ?? Number.POSITIVE_INFINITY);
}
