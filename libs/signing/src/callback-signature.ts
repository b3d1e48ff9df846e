import { createHmac, timingSafeEqual } from "node:crypto";
import { toKey } from "./space-secret.ts";

/** What a callback says beside its body, and what its second signature covers. */
export interface CallbackFacts {
  /** The invocation's id: the same on every try (I4). */
  id: string;
  functionName: string;
  callId: string;
  /** Value of X-Function-Status. */
  status: number;
  /** Value of X-Fnbus-State. */
  state: string;
}

const VERSION = "v1";
/** Far more than two secrets ever need; bounds the work that a forged header can ask for (I11). */
const MAX_SIGNATURES = 8;

const digest = (secret: string, head: string, body: Uint8Array): Buffer =>
  createHmac("sha256", toKey(secret)).update(head).update(body).digest();

/** Standard Webhooks 1.0, "Signature scheme": id, timestamp and payload, joined by full stops. */
const standardHead = (id: string, timestamp: string): string => `${id}.${timestamp}.`;
/** Lines, because no header's value can hold a line end: no two different callbacks have the same text. */
const fullHead = (facts: CallbackFacts, timestamp: string): string =>
  [facts.id, timestamp, facts.status, facts.state, facts.functionName, facts.callId, ""].join("\n");

/**
 * The signature headers of one try of a callback. `secrets`: newest first; each signs, so that a receiver may hold either while
 * they are exchanged. `webhook-signature` is Standard Webhooks' and covers the body; `x-fnbus-signature` covers the
 * status, state, function and call id too, which somebody on the way could otherwise change.
 */
export function signCallback(
  secrets: readonly string[],
  facts: CallbackFacts,
  body: Uint8Array,
  nowSeconds: number,
): Record<string, string> {
  const timestamp = String(Math.floor(nowSeconds));
  const sign = (head: string): string =>
    secrets.map((secret) => `${VERSION},${digest(secret, head, body).toString("base64")}`).join(" ");
  return {
    "webhook-id": facts.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": sign(standardHead(facts.id, timestamp)),
    "x-fnbus-signature": sign(fullHead(facts, timestamp)),
  };
}

export type Verification =
  | { valid: true }
  | { valid: false; reason: "header_missing" | "timestamp_invalid" | "timestamp_outside" | "signature_wrong" };

/**
 * Checks a callback as its receiver does: both signatures, and a timestamp within `toleranceSeconds` either way.
 * `header` gives a header's value by lower-case name. Throws TypeError for a secret that is none.
 */
export function verifyCallback(
  secrets: readonly string[],
  header: (name: string) => string | undefined,
  body: Uint8Array,
  nowSeconds: number,
  toleranceSeconds = 300,
): Verification {
  const id = header("webhook-id");
  const timestamp = header("webhook-timestamp");
  const standard = header("webhook-signature");
  const full = header("x-fnbus-signature");
  if (!id || !timestamp || !standard || !full) return { valid: false, reason: "header_missing" };
  if (!/^\d{10}$/.test(timestamp)) return { valid: false, reason: "timestamp_invalid" };
  if (Math.abs(nowSeconds - Number(timestamp)) > toleranceSeconds) return { valid: false, reason: "timestamp_outside" };
  const facts: CallbackFacts = {
    id,
    functionName: header("x-function-name") ?? "",
    callId: header("x-call-id") ?? "",
    status: Number(header("x-function-status")),
    state: header("x-fnbus-state") ?? "",
  };
  const isSigned = (list: string, head: string): boolean => {
    const given = list.split(" ", MAX_SIGNATURES).map(toSignature);
    return secrets.some((secret) => {
      const expected = digest(secret, head, body);
      return given.some((bytes) => bytes.length === expected.length && timingSafeEqual(bytes, expected));
    });
  };
  return isSigned(standard, standardHead(id, timestamp)) && isSigned(full, fullHead(facts, timestamp))
    ? { valid: true }
    : { valid: false, reason: "signature_wrong" };
}

const toSignature = (text: string): Buffer =>
  text.startsWith(`${VERSION},`) ? Buffer.from(text.slice(VERSION.length + 1), "base64") : Buffer.alloc(0);
