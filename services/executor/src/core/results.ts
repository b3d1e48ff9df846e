import type { RunResult } from "@fnbus/contract";
import type { RunEnd } from "./runs.ts";

const EMPTY = new Uint8Array(0);

/** The end of an asynchronous run as the ledger hears it: one that was not run is an error of the platform's (I9). */
export function toAsyncResult(end: RunEnd, executor: string, nowMs: number): { result: RunResult; body: Uint8Array } {
  if (end.kind === "not-run") {
    const { code, message, details } = end;
    const error = { code, message, ...(details ? { details } : {}) };
    return {
      result: { statusCode: 0, headers: [], error, startedAt: nowMs, durationMs: 0, cold: false, executor },
      body: EMPTY,
    };
  }
  const { result } = end;
  if (result.error || result.statusCode < 500) return { result, body: end.body };
  const error = { code: "function_answered_error", message: `the function answered ${result.statusCode}` } as const;
  return { result: { ...result, error }, body: end.body };
}
