import { FnbusError, limits } from "@fnbus/contract";

/** The headers of a request that speak to the platform, not to the function. */
export interface CallHeaders {
  callId?: string;
  callbackUrl?: string;
  idempotencyKey?: string;
  /** X-Timeout: how long the caller will wait, ms. */
  timeoutMs?: number;
  traceparent?: string;
  /** X-Call-Depth: functions that this call has gone through (a loop ends at `limits.callDepth`). */
  depth: number;
}

const visible = /^[\x21-\x7e]+$/;
const duration = /^(\d{1,9})(ms|s|m)?$/;
const unitMs = { ms: 1, s: 1000, m: 60_000 } as const;

/**
 * Reads them from Node's raw header list (name, value, name, value), so that a doubled header is seen.
 * Throws `invalid_header`, `idempotency_key_invalid`, `callback_url_invalid`, `callback_loop`.
 */
export function readCallHeaders(raw: readonly string[]): CallHeaders {
  const headers: CallHeaders = { depth: 0 };
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!;
    switch (name.length) {
      case 9:
        if (name.toLowerCase() === "x-call-id") headers.callId = once(headers.callId, toCallId(raw[at + 1]!), name);
        else if (name.toLowerCase() === "x-timeout")
          headers.timeoutMs = once(headers.timeoutMs, toTimeoutMs(raw[at + 1]!), name);
        break;
      case 11:
        if (name.toLowerCase() === "traceparent") headers.traceparent ??= raw[at + 1]!;
        break;
      case 12:
        if (name.toLowerCase() === "x-call-depth") headers.depth = toDepth(raw[at + 1]!);
        break;
      case 14:
        if (name.toLowerCase() === "x-callback-url") {
          if (headers.callbackUrl !== undefined) throw new FnbusError("callback_url_invalid", "sent more than once");
          headers.callbackUrl = raw[at + 1]!;
        }
        break;
      case 15:
        if (name.toLowerCase() === "idempotency-key") {
          if (headers.idempotencyKey !== undefined)
            throw new FnbusError("idempotency_key_invalid", "Idempotency-Key was sent more than once");
          headers.idempotencyKey = toIdempotencyKey(raw[at + 1]!);
        }
    }
  }
  return headers;
}

function once<T>(before: T | undefined, value: T, name: string): T {
  if (before !== undefined) throw new FnbusError("invalid_header", `${name} was sent more than once`);
  return value;
}

function toIdempotencyKey(text: string): string {
  if (!visible.test(text) || text.length > limits.idempotencyKeyBytes) throw new FnbusError("idempotency_key_invalid");
  return text;
}

function toCallId(text: string): string {
  if (!visible.test(text) || text.length > limits.callIdBytes)
    throw new FnbusError("invalid_header", `X-Call-Id takes 1 to ${limits.callIdBytes} visible characters`);
  return text;
}

/** "1500ms", "30s", "2m"; a bare number is seconds, as in OpenFaaS' X-Timeout. */
function toTimeoutMs(text: string): number {
  const match = duration.exec(text);
  const ms = match ? Number(match[1]) * unitMs[(match[2] ?? "s") as keyof typeof unitMs] : 0;
  if (ms <= 0) throw new FnbusError("invalid_header", "X-Timeout takes a positive time such as 500ms, 30s or 2m");
  return ms;
}

function toDepth(text: string): number {
  const depth = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(depth)) throw new FnbusError("invalid_header", "X-Call-Depth takes a small number");
  if (depth >= limits.callDepth) throw new FnbusError("callback_loop");
  return depth;
}
