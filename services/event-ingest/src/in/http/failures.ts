import { isBusError } from "@fnbus/bus";
import { FnbusError, toFnbusError } from "@fnbus/contract";
import { toProblem } from "@fnbus/http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Doors } from "./doors.ts";

/** The one door for anything thrown: ours, Fastify's, or unknown, whose text is never shown. */
export function sendFailure(doors: Doors, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toOurs(thrown, request);
  doors.answers.count(error.code);
  if (error.code === "internal")
    doors.logger.error({ err: error.cause ?? error }, "a request failed within event-ingest");
  else if (error.row.status >= 500 && error.cause !== undefined)
    doors.logger.warn({ err: error.cause, code: error.code }, error.message);
  // Without the query: it may hold a key.
  const answer = toProblem(error, request.url.split("?", 1)[0]!);
  return reply.code(answer.status).headers(answer.headers).serializer(JSON.stringify).send(answer.body);
}

function toOurs(thrown: unknown, request: FastifyRequest): FnbusError {
  if (thrown instanceof FnbusError) return thrown;
  if (isBusError(thrown)) return new FnbusError("broker_unavailable", undefined, { cause: thrown });
  const { code, statusCode = 500, message = "" } = thrown as Partial<FastifyError>;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new FnbusError("body_too_large", undefined, { details: { limitBytes: request.routeOptions.bodyLimit } });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new FnbusError("media_type_unsupported", "the content type cannot be read");
    case "ECONNRESET":
      return new FnbusError("invalid_request", "the connection was cut while the body was read");
  }
  if (statusCode === 414) return new FnbusError("uri_too_long");
  return statusCode >= 400 && statusCode < 500 ? new FnbusError("invalid_request", message) : toFnbusError(thrown);
}
