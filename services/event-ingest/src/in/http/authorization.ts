import type { IncomingMessage } from "node:http";
import { FnbusError } from "@fnbus/contract";

/**
 * For senders that can set no header: `access_token` in the query (CloudEvents' webhooks 3.2), of which one is no more shown.
 * Throws `invalid_request` where credentials come twice.
 */
export function toAuthorization({ headers, url = "" }: IncomingMessage): string | undefined {
  const { authorization } = headers;
  const tokens = new URLSearchParams(url.split("?")[1] ?? "").getAll("access_token");
  if (tokens.length === 0) return authorization;
  // RFC 6750 section 2: one way at a time.
  if (tokens.length > 1 || authorization !== undefined)
    throw new FnbusError("invalid_request", "credentials were sent more than once");
  return `Bearer ${tokens[0]}`;
}
