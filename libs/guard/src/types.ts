import type { LookupFunction } from "node:net";

/** Which addresses the platform may call on somebody's behalf (RELIABILITY.md 2.11). Used at accept and again at each connect. */
export interface AddressGuard {
  /** Checks without I/O: absolute http(s), no credentials, length, port, literal addresses. Throws FnbusError `callback_url_*`. */
  checkUrl(text: string): URL;
  /** Resolves the host and refuses if any address is forbidden: `callback_url_forbidden`. A name that does not resolve now is let through. */
  checkHost(url: URL, timeoutMs: number): Promise<void>;
  /** For `connect.lookup` of an undici Agent: the addresses checked are the addresses connected to. */
  lookup: LookupFunction;
  isAllowed(address: string): boolean;
}
