import { type ErrorCode, type ErrorSide, errorRow, isErrorCode } from "@fnbus/contract";

/** Why a request failed: the platform's own error, or that it could not be reached at all. */
export class ClientError extends Error {
  /** Code of the error table; `unreachable`: no answer came; `unknown`: an answer that is not ours. */
  readonly code: ErrorCode | "unreachable" | "unknown";
  /** HTTP status, 0 where no answer came. */
  readonly status: number;
  /** What to do about it. */
  readonly fix: string;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(facts: {
    code: ErrorCode | "unreachable" | "unknown";
    message: string;
    status: number;
    fix?: string;
    details?: Record<string, unknown> | undefined;
    retryAfterSeconds?: number | undefined;
    cause?: unknown;
  }) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "ClientError";
    this.code = facts.code;
    this.status = facts.status;
    this.fix = facts.fix ?? (isErrorCode(facts.code) ? errorRow(facts.code).fix : "");
    this.details = facts.details;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }

  /** Whose fault it is (I9). What is not of the error table is the platform's. */
  get side(): ErrorSide {
    return isErrorCode(this.code) ? errorRow(this.code).side : "platform";
  }
}

interface Problem {
  code?: string;
  detail?: string;
  title?: string;
  fix?: string;
  details?: Record<string, unknown>;
  /** SmartWorks' form, which the invoke routes answer in. */
  error?: { message?: string; details?: Record<string, unknown> };
}

/** An answer that is an error of the platform or of the function, from its headers and either form of body. */
export function toClientError(status: number, headers: Headers, body: string): ClientError {
  let problem: Problem = {};
  try {
    problem = JSON.parse(body) as Problem;
  } catch {
    // A proxy's page, or nothing.
  }
  const code = headers.get("x-fnbus-error") ?? problem.code ?? "";
  const retryAfter = Number(headers.get("retry-after"));
  return new ClientError({
    code: isErrorCode(code) ? code : "unknown",
    status,
    message: problem.detail ?? problem.error?.message ?? problem.title ?? `HTTP ${status}`,
    ...(problem.fix === undefined ? {} : { fix: problem.fix }),
    details: problem.details ?? problem.error?.details,
    retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
  });
}
