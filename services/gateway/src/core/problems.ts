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

/** Texts that SmartWorks' API fixes (wire-compatibility.md 7.2). */
const fixedMessages: Partial<Record<number, string>> = { 401: "Unauthenticated", 403: "Unauthorized" };

/** SmartWorks' form: `{"error":{"status","message","details"?}}`, and 202 where the function is not ready. */
export function toSmartworksError(error: FnbusError): ErrorAnswer {
  const { row } = error;
  const headers = { ...toErrorHeaders(error), "content-type": "application/json" };
  if (error.code === "function_not_ready") return { status: 202, headers, body: { details: "function not ready" } };
  const message = fixedMessages[row.status] ?? error.message;
  return {
    status: row.status,
    headers,
    body: { error: { status: row.status, message, ...(error.details ? { details: error.details } : {}) } },
  };
}

/** Ory Hydra's form (wire-compatibility.md 7.5), whose names are RFC 6749's. */
export function toOauthError(error: FnbusError): ErrorAnswer {
  const { row } = error;
  const names: Partial<Record<typeof error.code, string>> = {
    oauth_invalid_client: "invalid_client",
    oauth_invalid_grant: "unsupported_grant_type",
    oauth_invalid_scope: "invalid_scope",
  };
  const name =
    names[error.code] ?? (row.status >= 500 || row.status === 429 ? "temporarily_unavailable" : "invalid_request");
  return {
    status: row.status,
    headers: { ...toErrorHeaders(error), "content-type": "application/json", "cache-control": "no-store" },
    body: { error: name, error_description: error.message, error_hint: row.fix, status_code: row.status },
  };
}
