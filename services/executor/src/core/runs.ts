import type { EnvelopeMeta, ErrorCode, RegisteredFunction, RunResult } from "@fnbus/contract";

/** One run that is asked for, from either side: a synchronous call or work of the ledger. */
export interface RunRequest {
  meta: EnvelopeMeta;
  /** The metadata block as it came, passed to the runner unchanged. */
  metaJson: string;
  body: Uint8Array;
  /** When waiting and running are over, on the monotonic clock (ms). */
  endsAt: number;
  /** What it then is: the caller's deadline, or the age an asynchronous invocation may reach. */
  whenOver: "deadline_exceeded" | "expired";
}

/** How a run ended. `ran`: the function answered or failed. `not-run`: it did neither, by our doing or the caller's (I9). */
export type RunEnd =
  | { kind: "ran"; result: RunResult; body: Uint8Array }
  | { kind: "not-run"; code: ErrorCode; message: string; details?: Record<string, unknown> };

export interface StartedRun {
  /** Stops it wherever it is; it ends as not-run with `cancelled`. */
  cancel(): void;
  /** Takes it back where user code has not seen it yet: `onEnd` is then never called. */
  withdraw(): boolean;
}

/** What runs functions. `onEnd` is called at most once, never before `start` has returned. */
export interface Runs {
  start(registered: RegisteredFunction, request: RunRequest, onEnd: (end: RunEnd) => void): StartedRun;
}
