import { errorTable } from "./error-table.ts";

export type ErrorCode = keyof typeof errorTable;

/** Whose fault it is (I9). `caller`: the request; `platform`: we could not; `function`: user code did. */
export type ErrorSide = "caller" | "platform" | "function";

/** What somebody who meets the error may do: never the same again, the same again later, or the same with its key. */
export type ErrorRetry = "no" | "later" | "same-key";

export interface ErrorRow {
  /** HTTP status on our own API and, where the dialect has no other rule, on the dialects. */
  status: number;
  side: ErrorSide;
  retry: ErrorRetry;
  /** What happened, for a person. */
  title: string;
  /** What to do about it. */
  fix: string;
}

export interface ErrorExtra {
  retryAfterSeconds?: number;
  /** Facts for the answer's body: never secrets, never stack traces of ours. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** The one error class: a code of the table, a message for this case, and what the answer may show. */
export class FnbusError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string = errorTable[code].title, extra: ErrorExtra = {}) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = "FnbusError";
    this.code = code;
    this.retryAfterSeconds = extra.retryAfterSeconds;
    this.details = extra.details;
  }

  get row(): ErrorRow {
    return errorTable[this.code];
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code);
export const errorRow = (code: ErrorCode): ErrorRow => errorTable[code];

/** Whatever was thrown, as one of ours. An unknown error keeps its text as cause only: the answer never shows it. */
export const toFnbusError = (thrown: unknown): FnbusError =>
  thrown instanceof FnbusError ? thrown : new FnbusError("internal", undefined, { cause: thrown });
