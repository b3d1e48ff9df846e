import type { FnbusError } from "@fnbus/contract";

/** An error as HTTP says it: what every dialect's form is made from. */
export interface ErrorAnswer {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

/** Of what is refused until later without a better guess. */
const RETRY_AFTER_SECONDS = 1;

/** Headers that every error carries: which error, whose fault (I9), and when to come again. */
export function toErrorHeaders(error: FnbusError): Record<string, string> {
  const { row } = error;
  const headers: Record<string, string> = { "x-fnbus-error": error.code, "x-fnbus-error-side": row.side };
  const again = error.retryAfterSeconds ?? (row.status === 429 || row.status === 503 ? RETRY_AFTER_SECONDS : undefined);
  if (again !== undefined) headers["retry-after"] = String(again);
  if (row.status === 401) headers["www-authenticate"] = 'Bearer realm="fnbus"';
  const { allow } = error.details ?? {};
  if (row.status === 405 && typeof allow === "string") headers.allow = allow;
  return headers;
}

/** RFC 9457 problem details, with the code, what to do, and the facts. */
export function toProblem(error: FnbusError, instance: string): ErrorAnswer {
  const { row } = error;
  return {
    status: row.status,
    headers: { ...toErrorHeaders(error), "content-type": "application/problem+json" },
    body: {
      type: `/docs/errors#${error.code}`,
      title: row.title,
      status: row.status,
      detail: error.message,
      instance,
      code: error.code,
      side: row.side,
      retry: row.retry,
      fix: row.fix,
      ...(error.details ? { details: error.details } : {}),
    },
  };
}
