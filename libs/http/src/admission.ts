import type { IncomingMessage, ServerResponse } from "node:http";
import { type AccessKey, FnbusError, type Scope } from "@fnbus/contract";
import { checkAccess } from "@fnbus/signing";
import { toBodyBytes } from "./body-bytes.ts";
import { createCallers } from "./callers.ts";
import type { Load } from "./load.ts";
import type { Rates } from "./rates.ts";

/** What a route asks of who calls it. */
export interface AdmissionRule {
  scope?: Scope | undefined;
  anyKey?: boolean;
  platform?: boolean;
  /** The space that the request names. */
  space?: string | undefined;
  /** Bytes of the request's body. */
  bodyLimit: number;
  /** Instead of the header of that name. */
  authorization?: string | undefined;
}

/** Bounds of what a server has in hand (I11); over them it answers 503. */
export interface HttpBounds {
  maxInFlight: number;
  maxBodyBytes: number;
  maxLagMs: number;
}

export interface AdmissionOptions {
  keyById(id: string): AccessKey | undefined;
  rates: Rates;
  load: Load;
  bounds: HttpBounds;
  /** Whether a request under this rule is to be refused now, because the event loop is late. */
  isLagging(rule: AdmissionRule): boolean;
}

/** Decides on requests; throws what is to be answered. */
export type Admit = (request: IncomingMessage, response: ServerResponse, rule: AdmissionRule) => AccessKey | null;

/**
 * Everything that is decided before a byte of the body is read: overload, who calls, what they may, how often, how much.
 * Throws `overloaded`, `unauthenticated`, `key_*`, `space_forbidden`, `scope_missing`, `rate_limited`, `body_too_large`,
 * `content_encoding_unsupported`.
 */
export function createAdmission({ keyById, rates, load, bounds, isLagging }: AdmissionOptions): Admit {
  const toCaller = createCallers(keyById);
  return (request, response, rule) => {
    const { headers } = request;
    if (load.open.size > bounds.maxInFlight || load.bodyBytes > bounds.maxBodyBytes || isLagging(rule))
      throw new FnbusError("overloaded", undefined, { retryAfterSeconds: 1 + Math.floor(Math.random() * 3) });
    let key: AccessKey | null = null;
    if (rule.scope !== undefined || rule.anyKey) {
      const now = Date.now();
      key = toCaller(rule.authorization ?? headers.authorization, now);
      checkScope(key, rule);
      rates.take(key, now, response);
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

function checkScope(key: AccessKey, { scope, space, platform }: AdmissionRule): void {
  if (scope === undefined) return;
  // A list of what a key may see is narrowed by its route: there is no one space to check.
  if (space !== undefined || platform) checkAccess(key, scope, space);
  else checkAccess({ ...key, spaces: [] }, scope, undefined);
}
