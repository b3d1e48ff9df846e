import type { ServerResponse } from "node:http";
import { isBusError } from "@fnbus/bus";
import { FnbusError, limits, toFnbusError } from "@fnbus/contract";
import { type ErrorAnswer, toProblem } from "@fnbus/http";
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from "fastify";
import { toOauthError, toSmartworksError } from "../core/problems.ts";
import type { Dialect, Doors } from "./doors.ts";
import { writeAnswer } from "./smartworks/answer.ts";

/** The one door for anything thrown: ours, Fastify's, or unknown, whose text is never shown. */
export function sendFailure(doors: Doors, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toOurs(thrown, request.routeOptions.bodyLimit);
  const dialect = dialectOf(request);
  tell(doors, dialect, error, request.routeOptions.url);
  const answer = toAnswer(dialect, error, request);
  reply.code(answer.status).headers(answer.headers);
  return reply.serializer(JSON.stringify).send(answer.body);
}

/** The same for a call, which Fastify has no part in. `route`: as it is described, for a target may hold a secret. */
export function sendCallFailure(doors: Doors, thrown: unknown, route: string, response: ServerResponse): void {
  const error = toOurs(thrown, limits.requestBodyBytes);
  tell(doors, "smartworks", error, route);
  // What has begun cannot be taken back: the caller sees that it is cut off.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, headers, body } = toSmartworksError(error);
  writeAnswer(response, status, Object.entries(headers), Buffer.from(JSON.stringify(body)));
}

function tell(doors: Doors, dialect: Dialect, error: FnbusError, route: string | undefined): void {
  doors.counts.answered(dialect, error.code);
  if (error.row.status >= 500 && error.row.side === "platform" && error.cause !== undefined)
    doors.logger.warn({ err: error.cause, code: error.code, route }, error.message);
  if (error.code === "internal")
    doors.logger.error({ err: error.cause ?? error }, "a request failed within the gateway");
}

function toAnswer(dialect: Dialect, error: FnbusError, request: FastifyRequest): ErrorAnswer {
  if (dialect === "smartworks") return toSmartworksError(error);
  if (dialect === "oauth") return toOauthError(error);
  return toProblem(error, request.url.split("?", 1)[0]!);
}

function dialectOf(request: FastifyRequest): Dialect {
  const { dialect } = request.routeOptions.config;
  if (dialect) return dialect;
  return request.url.startsWith("/spaces/")
    ? "smartworks"
    : request.url.startsWith("/oauth2/")
      ? "oauth"
      : "management";
}

/** A limit outside its range and an unknown runtime have codes of their own. */
function toSchemaError(validation: readonly FastifySchemaValidationError[], message: string): FnbusError {
  const faults = validation.map(({ instancePath, message: text, params }) => ({
    field: instancePath,
    message: text,
    ...params,
  }));
  const extra = { details: { faults } };
  if (validation.some(({ instancePath }) => instancePath === "/runtime"))
    return new FnbusError("runtime_unknown", undefined, extra);
  const isRange = validation.some(({ keyword }) => keyword === "minimum" || keyword === "maximum");
  return new FnbusError(isRange ? "limit_out_of_range" : "invalid_request", message, extra);
}

function toOurs(thrown: unknown, bodyLimit: number): FnbusError {
  if (thrown instanceof FnbusError) return thrown;
  if (isBusError(thrown)) return new FnbusError("broker_unavailable", undefined, { cause: thrown });
  const { code, statusCode = 500, message, validation } = thrown as Partial<FastifyError>;
  if (validation) return toSchemaError(validation, message ?? "");
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new FnbusError("body_too_large", undefined, { details: { limitBytes: bodyLimit } });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new FnbusError("media_type_unsupported");
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return new FnbusError("invalid_json");
    case "ECONNRESET":
      return new FnbusError("invalid_request", "the connection was cut while the body was read");
  }
  if (statusCode === 414) return new FnbusError("uri_too_long");
  return statusCode >= 400 && statusCode < 500
    ? new FnbusError("invalid_request", message ?? "")
    : toFnbusError(thrown);
}
