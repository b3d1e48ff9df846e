import type { IncomingMessage, ServerResponse } from "node:http";
import { type AccessKey, FnbusError, type Scope } from "@fnbus/contract";
import { checkAccess } from "@fnbus/signing";
import { createCallers } from "../core/callers.ts";
import type { Doors } from "./doors.ts";
import type { Load } from "./load.ts";

/** What a route asks of who calls it. */
export interface AdmissionRule {
  scope?: Scope;
  anyKey?: boolean;
  platform?: boolean;
  /** The space that the request names. */
  space?: string | undefined;
  /** Bytes of the request's body. */
  bodyLimit: number;
}

/** Decides on requests; throws what is to be answered. */
export type Admit = (request: IncomingMessage, response: ServerResponse, rule: AdmissionRule) => AccessKey | null;

/**
 * Everything that is decided before a byte of the body is read: overload, who calls, what they may, how often, how much.
 * Throws `overloaded`, `unauthenticated`, `key_*`, `space_forbidden`, `scope_missing`, `rate_limited`, `body_too_large`,
 * `content_encoding_unsupported`.
 */
export function createAdmission(doors: Doors, load: Load, isLagging: () => boolean): Admit {
  const { settings } = doors;
  const toCaller = createCallers(doors.access.keyById);
  return (request, response, rule) => {
    const { headers } = request;
    const isCall = rule.scope === "function.invoke";
    if (load.open.size > settings.maxInFlight || load.bodyBytes > settings.maxBodyBytes || (isCall && isLagging()))
      throw new FnbusError("overloaded", undefined, { retryAfterSeconds: 1 + Math.floor(Math.random() * 3) });
    let key: AccessKey | null = null;
    if (rule.scope !== undefined || rule.anyKey) {
      const now = Date.now();
      key = toCaller(headers.authorization, now);
      checkScope(key, rule);
      limitRate(doors, key, now, response);
    }
    const { bodyLimit } = rule;
    if (toBodyBytes(request, bodyLimit) > bodyLimit)
      throw new FnbusError("body_too_large", undefined, { details: { limitBytes: bodyLimit } });
    const encoding = headers["content-encoding"];
    if (encoding !== undefined && encoding.toLowerCase() !== "identity")
      throw new FnbusError("content_encoding_unsupported");
    return key;
  };
}

/** Bytes of a body as announced; of one that comes in chunks, as many as it may have. */
export function toBodyBytes({ headers }: IncomingMessage, bodyLimit: number): number {
  const announced = headers["content-length"];
  if (announced !== undefined) return Number(announced);
  return headers["transfer-encoding"] === undefined ? 0 : bodyLimit;
}

/** What a body may take of memory: nothing where it is refused unread. */
export function toHeldBytes(request: IncomingMessage, bodyLimit: number): number {
  const bytes = toBodyBytes(request, bodyLimit);
  return bytes > bodyLimit ? 0 : bytes;
}

function checkScope(key: AccessKey, { scope, space, platform }: AdmissionRule): void {
  if (scope === undefined) return;
  // A list of what a key may see is narrowed by its route: there is no one space to check.
  if (space !== undefined || platform) checkAccess(key, scope, space);
  else checkAccess({ ...key, spaces: [] }, scope, undefined);
}

/** A client's tokens share its rate. Headers of draft-ietf-httpapi-ratelimit-headers. Throws `rate_limited`. */
export function limitRate(doors: Doors, key: AccessKey, nowMs: number, response: ServerResponse): void {
  const rate = key.rate ?? doors.settings.keyRate;
  if (rate <= 0) return;
  const id = key.client ?? key.id;
  const decision = doors.limiter.take(id, rate, nowMs);
  response.setHeader("ratelimit-policy", `"key";q=${rate};w=1`);
  response.setHeader("ratelimit", `"key";r=${decision.remaining};t=${Math.max(1, decision.retryAfterSeconds)}`);
  if (!decision.allowed)
    throw new FnbusError("rate_limited", undefined, { retryAfterSeconds: decision.retryAfterSeconds });
}
