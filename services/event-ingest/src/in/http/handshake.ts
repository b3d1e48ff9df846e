import { FnbusError } from "@fnbus/contract";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Doors } from "./doors.ts";
import { type EventPath, findTrigger } from "./receive.ts";

/** A DNS expression (CloudEvents' webhooks 4.1.1); not echoed if it is none. */
const origin = /^[A-Za-z0-9.*:_-]{1,253}$/;

/**
 * Tells a sender of CloudEvents that its events are wanted (HTTP 1.1 Web Hooks for Event Delivery 1.0, section 4). The answer
 * is always immediate: a WebHook-Request-Callback is not called, so nobody can send us anywhere.
 */
export function answerHandshake(doors: Doors, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const trigger = findTrigger(doors, request.params as EventPath);
  if (trigger.type !== "cloudevents")
    throw new FnbusError("method_not_allowed", undefined, { details: { allow: "POST" } });
  const asked = request.headers["webhook-request-origin"];
  if (typeof asked !== "string" || !origin.test(asked))
    throw new FnbusError("invalid_request", "WebHook-Request-Origin is missing, or no DNS name");
  const perSecond = doors.rates.of(request.caller!);
  doors.answers.count("ok");
  return reply
    .code(200)
    .headers({
      allow: "OPTIONS, POST",
      "webhook-allowed-origin": asked,
      // Requests a minute.
      "webhook-allowed-rate": perSecond > 0 ? String(perSecond * 60) : "*",
    })
    .send();
}
