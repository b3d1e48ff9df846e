import { FnbusError, limits } from "@fnbus/contract";

/** What follows `/spaces/{space}/functions/{name}/invoke` in a request's target, as it was sent. */
export interface CallTarget {
  /** "/stock/today", or "/". */
  path: string;
  /** Raw query without "?". */
  query: string;
}

/** Slashes before the word invoke or async-invoke: /spaces/x/functions/y/invoke. */
const SLASHES_BEFORE = 5;
const SLASH = 47;

/**
 * Takes a call's raw request target apart, which the router has matched to an invoke route.
 * Throws `path_too_deep`, `uri_too_long`.
 */
export function toCallTarget(rawUrl: string): CallTarget {
  // A proxy's absolute form (RFC 9112 section 3.2.2).
  const url = rawUrl.charCodeAt(0) === SLASH ? rawUrl : rawUrl.replace(/^[a-z]+:\/\/[^/?]*/i, "");
  const mark = url.indexOf("?");
  const end = mark === -1 ? url.length : mark;
  const query = mark === -1 ? "" : url.slice(mark + 1);
  let at = 0;
  for (let slash = 1; slash < SLASHES_BEFORE; slash++) at = url.indexOf("/", at + 1);
  const start = url.indexOf("/", at + 1);
  const path = start === -1 || start >= end ? "/" : url.slice(start, end);
  if (path.length > limits.pathBytes || query.length > limits.queryBytes) throw new FnbusError("uri_too_long");
  if (countLevels(path) > limits.pathLevels) throw new FnbusError("path_too_deep");
  return { path, query };
}

/** "/a/b/" has two levels, "/" none; an encoded slash is part of its level. */
function countLevels(path: string): number {
  let levels = 0;
  for (let at = 0; at < path.length - 1; at++) if (path.charCodeAt(at) === SLASH) levels++;
  return levels;
}
