import type { FnbusError } from "@fnbus/contract";
import { type ErrorAnswer, toErrorHeaders } from "@fnbus/http";

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
