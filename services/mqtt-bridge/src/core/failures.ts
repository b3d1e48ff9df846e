import { type ErrorCode, FnbusError } from "@fnbus/contract";

/** Why a connection does not stand, as the trigger's report says it. */
export interface Failure {
  code: ErrorCode;
  message: string;
}

/** MQTT 5, 3.2.2.2: bad user name or password, not authorized, banned, bad authentication method. */
const unauthorized5 = new Set([0x86, 0x87, 0x8a, 0x8c]);
/** MQTT 3.1.1, 3.2.2.3. */
const unauthorized4 = new Set([4, 5]);
const UNSUPPORTED = new Set([1, 0x84]);
/** Of the network: whoever was to answer is not there. */
const unreachable = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPIPE",
]);

/** What a broker's CONNACK or DISCONNECT means. */
export function toRefusal(reason: number, protocolVersion: 4 | 5): Failure {
  if ((protocolVersion === 5 ? unauthorized5 : unauthorized4).has(reason))
    return { code: "source_unauthorized", message: "Not Authorized" };
  if (UNSUPPORTED.has(reason))
    return {
      code: "source_failed",
      message: `the broker does not speak MQTT ${protocolVersion === 5 ? "5: set protocolVersion to 4" : "3.1.1"}`,
    };
  return { code: "source_failed", message: `the broker refused with reason 0x${reason.toString(16).padStart(2, "0")}` };
}

/** What an error of the connection means. It shows names of errors, never what was sent. */
export function toFailure(error: unknown, protocolVersion: 4 | 5): Failure {
  if (error instanceof FnbusError) return { code: error.code, message: error.message };
  const { code, message = "" } = error as { code?: string | number; message?: string };
  if (typeof code === "number") return toRefusal(code, protocolVersion);
  // Names of OpenSSL's faults of certificates have no common part; those of the network are known.
  if (typeof code === "string" && /CERT|SSL|TLS|SIGNATURE|ISSUER|EPROTO|CRL/.test(code))
    return { code: "source_tls_failed", message: `TLS: ${code}` };
  if (typeof code === "string" && unreachable.has(code)) return { code: "source_unreachable", message: code };
  if (/connack timeout|keepalive timeout/i.test(message))
    return { code: "source_unreachable", message: "the broker does not answer" };
  return { code: "source_failed", message: message || "the connection ended" };
}
