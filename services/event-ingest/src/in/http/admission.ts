import type { ServerResponse } from "node:http";
import { type AccessKey, FnbusError, type Scope } from "@fnbus/contract";
import type { OpenAnswers } from "@fnbus/http";
import { checkAccess, toCaller } from "@fnbus/signing";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Doors } from "./doors.ts";

/** What is in progress, for the bounds (I11) and for a graceful stop. */
export interface Load extends OpenAnswers {
  bodyBytes: number;
}

/**
 * Everything that is decided before a byte of the body is read: overload, who sends, what they may, how often, how much.
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
  if (load.stopping) reply.raw.setHeader("connection", "close");
  const announced = headers["content-length"];
  const bytes =
    announced === undefined ? (headers["transfer-encoding"] === undefined ? 0 : bodyLimit) : Number(announced);
  take(load, reply.raw, bytes > bodyLimit ? 0 : bytes);
  const { maxInFlight, maxBodyBytes } = doors.settings;
  if (load.open.size > maxInFlight || load.bodyBytes > maxBodyBytes || lagging())
    throw new FnbusError("overloaded", undefined, { retryAfterSeconds: 1 + Math.floor(Math.random() * 3) });
  if (config.scope !== undefined) request.caller = authenticate(doors, request, config.scope, reply);
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

function authenticate(doors: Doors, request: FastifyRequest, scope: Scope, reply: FastifyReply): AccessKey {
  const now = Date.now();
  const key = toCaller(toAuthorization(request), doors.access.keyById, now);
  checkAccess(key, scope, (request.params as { space: string }).space);
  const rate = rateOf(doors, key);
  const decision = rate > 0 ? doors.limiter.take(key.client ?? key.id, rate, now) : undefined;
  if (!decision) return key;
  reply.raw.setHeader("ratelimit-policy", `"key";q=${rate};w=1`);
  reply.raw.setHeader("ratelimit", `"key";r=${decision.remaining};t=${Math.max(1, decision.retryAfterSeconds)}`);
  if (decision.allowed) return key;
  throw new FnbusError("rate_limited", undefined, { retryAfterSeconds: decision.retryAfterSeconds });
}

/** Requests a second that a key may make; 0: not limited. */
export const rateOf = (doors: Doors, key: AccessKey): number => key.rate ?? doors.settings.keyRate;

/** For senders that can set no header: `access_token` in the query (CloudEvents' webhooks 3.2), of which one is no more shown. */
function toAuthorization(request: FastifyRequest): string | undefined {
  const { authorization } = request.raw.headers;
  const tokens = new URLSearchParams((request.raw.url ?? "").split("?")[1] ?? "").getAll("access_token");
  if (tokens.length === 0) return authorization;
  // RFC 6750 section 2: one way at a time.
  if (tokens.length > 1 || authorization !== undefined)
    throw new FnbusError("invalid_request", "credentials were sent more than once");
  return `Bearer ${tokens[0]}`;
}
