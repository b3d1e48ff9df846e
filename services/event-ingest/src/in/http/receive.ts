import { FnbusError, type RegisteredFunction } from "@fnbus/contract";
import type { SourceStatus } from "@fnbus/sources";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { EventPart, Reading } from "../../core/event-part.ts";
import { type HttpTrigger, httpTypes, readDelivery } from "../../core/read-delivery.ts";
import type { Doors } from "./doors.ts";
import { findFunction } from "./listening.ts";

export interface EventPath {
  space: string;
  trigger: string;
}

const NOTHING = new Uint8Array(0);

/**
 * Takes a delivery: answers 2xx only when each invocation that it comes to is durable (I1, I6). What fails is answered so that
 * the sender repeats all of it: events with a name of their own are one invocation however often they come (L9).
 */
export async function receive(doors: Doors, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const trigger = findTrigger(doors, request.params as EventPath);
  if (!trigger.enabled) throw new FnbusError("trigger_paused");
  const status = doors.listening.statusOf(trigger.id);
  try {
    const to = findFunction(doors.registry, trigger);
    const delivery = { headers: request.raw.rawHeaders, body: (request.body as Buffer | undefined) ?? NOTHING };
    const reading = readDelivery(trigger, to.definition.settings.style, delivery);
    const ids = await publishAll(doors, trigger, to, reading, status, [request.raw.headers.traceparent].flat()[0]);
    doors.answers.count("ok");
    // 200 where nothing was to be done: a sender takes any 2xx for delivered.
    return reply.code(ids.length > 0 ? 202 : 200).send({ accepted: ids.length, filtered: reading.filtered, ids });
  } catch (error) {
    if (error instanceof FnbusError) status?.trouble(error.code, error.message);
    throw error;
  }
}

/** Throws `trigger_not_found`, also for one that takes no events over HTTP. */
export function findTrigger(doors: Doors, { space, trigger: name }: EventPath): HttpTrigger {
  const trigger = doors.triggers.triggerByName(space, name)?.trigger;
  if (!trigger) throw new FnbusError("trigger_not_found");
  if (!(httpTypes as readonly string[]).includes(trigger.type))
    throw new FnbusError("trigger_not_found", `a trigger of type ${trigger.type} takes no events over HTTP`);
  return trigger as HttpTrigger;
}

async function publishAll(
  doors: Doors,
  trigger: HttpTrigger,
  to: RegisteredFunction,
  { parts, filtered }: Reading,
  status: SourceStatus | undefined,
  incoming: string | undefined,
): Promise<string[]> {
  status?.received(parts.length + filtered);
  const sent = await Promise.allSettled(parts.map((part) => publish(doors, trigger, to, part, incoming)));
  const ids = sent.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  if (ids.length > 0) status?.published(ids.length);
  const failed = sent.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return ids;
}

async function publish(
  doors: Doors,
  trigger: HttpTrigger,
  to: RegisteredFunction,
  part: EventPart,
  incoming: string | undefined,
): Promise<string> {
  const { traceparent: ofEvent, ...call } = part;
  const traceparent = doors.tracing.accept(ofEvent ?? incoming);
  const span = doors.tracing.span("event-ingest accept", traceparent, { trigger: trigger.name, space: trigger.space });
  const outgoing = doors.tracing.childOf(span, traceparent);
  try {
    return (await doors.publisher.send({ ...call, to, trigger, ...(outgoing && { traceparent: outgoing }) })).id;
  } finally {
    span?.end();
  }
}
