import type { HeaderList } from "./envelope.ts";
import { FnbusError } from "./errors.ts";
import { limits } from "./limits.ts";

/** Hop-by-hop headers (RFC 9110 section 7.6.1) and those that are made anew on each hop. */
const dropped = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
  "expect",
]);
/** Ours: read by the gateway, never passed on as headers, so that nobody can speak in the platform's name. */
const reserved = ["x-call-", "x-function-", "x-callback-", "x-fnbus-", "x-forwarded-", "nats-", "fnbus-"];
const value = /^[\t\x20-\x7e\x80-\xff]*$/;
const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Credentials for the platform, and what only it reads: a function never sees them (I10). */
const forPlatform = new Set(["authorization", "idempotency-key"]);

interface HeaderName {
  /** In lower case. */
  name: string;
  /** Neither hop-by-hop nor ours. */
  passes: boolean;
  isToken: boolean;
}

/** Names that were seen, as they were written: the same few come with every call. No more are remembered than this (I11). */
const MAX_NAMES = 1_000;
const MAX_NAME_LENGTH = 64;
const names = new Map<string, HeaderName>();

function toHeaderName(written: string): HeaderName {
  const known = names.get(written);
  if (known) return known;
  const name = written.toLowerCase();
  const passes = !dropped.has(name) && !reserved.some((prefix) => name.startsWith(prefix));
  const found = { name, passes, isToken: token.test(name) };
  if (names.size < MAX_NAMES && written.length <= MAX_NAME_LENGTH) names.set(written, found);
  return found;
}

/** Names that a Connection header lists: they are for this hop alone. */
function toHopNames(raw: readonly string[]): Set<string> | undefined {
  let listed: Set<string> | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at]!.length !== 10 || raw[at]!.toLowerCase() !== "connection") continue;
    listed ??= new Set();
    for (const part of raw[at + 1]!.split(",")) listed.add(part.trim().toLowerCase());
  }
  return listed;
}

/**
 * The request headers that a function may see, from Node's raw header list (name, value, name, value).
 * Credentials for the platform are removed (I10), as is every header that Connection names.
 * Throws `invalid_header` and `headers_too_large`.
 */
export function toFunctionHeaders(raw: readonly string[]): HeaderList {
  const hop = toHopNames(raw);
  const list: HeaderList = [];
  let bytes = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const { name, passes, isToken } = toHeaderName(raw[at]!);
    const text = raw[at + 1]!;
    bytes += name.length + text.length;
    if (!passes || hop?.has(name) || forPlatform.has(name)) continue;
    if (!isToken || !value.test(text))
      throw new FnbusError("invalid_header", `header ${JSON.stringify(name)} has characters that are not allowed`);
    list.push([name, text]);
  }
  if (raw.length / 2 > limits.headerCount || bytes > limits.headerBytes) throw new FnbusError("headers_too_large");
  return list;
}

/**
 * Headers that a function set, as they may leave the platform: hop-by-hop and reserved ones removed, values that could
 * split a header refused. Throws `function_result_invalid`.
 */
export function toAnswerHeaders(list: HeaderList): HeaderList {
  const kept: HeaderList = [];
  let bytes = 0;
  for (const [written, text] of list) {
    const { name, passes, isToken } = toHeaderName(written);
    if (!passes) continue;
    if (!isToken || !value.test(text))
      throw new FnbusError(
        "function_result_invalid",
        `header ${JSON.stringify(written)} has characters that are not allowed`,
      );
    bytes += name.length + text.length;
    kept.push([name, text]);
  }
  if (kept.length > limits.headerCount || bytes > limits.headerBytes)
    throw new FnbusError("function_result_invalid", "too many or too large headers");
  return kept;
}

/** First value of a header, by its lower-case name. */
export const headerOf = (list: HeaderList, name: string): string | undefined => list.find(([key]) => key === name)?.[1];
