import type { ServerResponse } from "node:http";
import { type AccessKey, FnbusError, type Scope } from "@fnbus/contract";
import { checkAccess, toCaller } from "@fnbus/signing";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Doors } from "./doors.ts";

/** What is in progress, for the bounds (I11) and for a graceful stop. */
export interface Load {
  open: Set<ServerResponse>;
  bodyBytes: number;
  stopping: boolean;
}

/**
 * Everything that is decided before a byte of the body is read: overload, who calls, what they may, how often, how much.
 * Throws `overloaded`, `unauthenticated`, `key_*`, `space_forbidden`, `scope_missing`, `rate_limited`, `body_too_large`,
 * `content_encoding_unsupported`.
 */
export function admit(
  doors: Doors,
  load: Load,
  lagging: () => boolean,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { config, bodyLimit } = request.routeOptions;
  const { headers } = request.raw;
  const { settings } = doors;
  if (load.stopping) reply.raw.setHeader("connection", "close");
  const announced = headers["content-length"];
  const bytes =
    announced === undefined ? (headers["transfer-encoding"] === undefined ? 0 : bodyLimit) : Number(announced);
  take(load, reply.raw, bytes > bodyLimit ? 0 : bytes);
  const isCall = config.scope === "function.invoke";
  if (load.open.size > settings.maxInFlight || load.bodyBytes > settings.maxBodyBytes || (isCall && lagging()))
    throw new FnbusError("overloaded", undefined, { retryAfterSeconds: 1 + Math.floor(Math.random() * 3) });
  if (config.scope !== undefined || config.anyKey) request.caller = authenticate(doors, request, config, reply);
  if (bytes > bodyLimit) throw new FnbusError("body_too_large", undefined, { details: { limitBytes: bodyLimit } });
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity")
    throw new FnbusError("content_encoding_unsupported");
}

/** Given back when the answer is out or its connection is gone: Fastify's onResponse does not hear of the second. */
function take(load: Load, response: ServerResponse, bytes: number): void {
  load.open.add(response);
  load.bodyBytes += bytes;
  response.once("close", () => {
    load.open.delete(response);
    load.bodyBytes -= bytes;
  });
}

function authenticate(
  doors: Doors,
  request: FastifyRequest,
  config: { scope?: Scope; platform?: boolean },
  reply: FastifyReply,
): AccessKey {
  const now = Date.now();
  const key = toCaller(request.raw.headers.authorization, doors.access.keyById, now);
  if (config.scope !== undefined) {
    const { space } = request.params as { space?: string };
    // A list of what a key may see is narrowed by its route: there is no one space to check.
    if (space !== undefined || config.platform) checkAccess(key, config.scope, space);
    else checkAccess({ ...key, spaces: [] }, config.scope, undefined);
  }
  limitRate(doors, key, now, reply);
  return key;
}

/** A client's tokens share its rate. Headers of draft-ietf-httpapi-ratelimit-headers. Throws `rate_limited`. */
export function limitRate(doors: Doors, key: AccessKey, nowMs: number, reply: FastifyReply): void {
  const rate = key.rate ?? doors.settings.keyRate;
  if (rate <= 0) return;
  const id = key.client ?? key.id;
  const decision = doors.limiter.take(id, rate, nowMs);
  reply.raw.setHeader("ratelimit-policy", `"key";q=${rate};w=1`);
  reply.raw.setHeader("ratelimit", `"key";r=${decision.remaining};t=${Math.max(1, decision.retryAfterSeconds)}`);
  if (!decision.allowed)
    throw new FnbusError("rate_limited", undefined, { retryAfterSeconds: decision.retryAfterSeconds });
}
