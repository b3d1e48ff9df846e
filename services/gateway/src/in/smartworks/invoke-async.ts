import type { ServerResponse } from "node:http";
import { createId, FnbusError, type HeaderList, type RegisteredFunction } from "@fnbus/contract";
import type { Accepted } from "@fnbus/publisher";
import { type HttpCall, toBodyHash, toKeyedId, toMeta } from "../../core/envelope.ts";
import type { Doors } from "../doors.ts";
import { writeAnswer } from "./answer.ts";

/** A name server that hangs must not hold the call: the address is checked again at each connect. */
const RESOLVE_MS = 2_000;

/** Accepts a call: 202 only when the log has acknowledged it (I1). The body of the 202 is empty, as SmartWorks' is. */
export async function invokeAsync(
  doors: Doors,
  registered: RegisteredFunction,
  http: HttpCall,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const { callbackUrl } = http.call;
  if (callbackUrl !== undefined) await doors.guard.checkHost(doors.guard.checkUrl(callbackUrl), RESOLVE_MS);
  const { accepted, callId, acceptedAt } = await accept(doors, registered, http, body);
  doors.counts.answered("async", "ok");
  const headers: HeaderList = [
    ["x-call-id", callId],
    ["x-fnbus-invocation-id", accepted.id],
    // Nanoseconds since 1970, as OpenFaaS sends them.
    ["x-start-time", `${acceptedAt}000000`],
    ["location", `/v1/spaces/${registered.definition.space}/invocations/${accepted.id}`],
  ];
  if (accepted.replayed) headers.push(["idempotent-replayed", "true"]);
  writeAnswer(response, 202, headers);
}

/** Publishes the envelope, under its key's id where it has one. Throws what `Invocations` and `Backlog` throw. */
export async function accept(
  doors: Doors,
  registered: RegisteredFunction,
  http: HttpCall,
  body: Buffer,
): Promise<{ accepted: Accepted; callId: string; acceptedAt: number }> {
  const { definition } = registered;
  const { idempotencyKey: key } = http.call;
  const now = Date.now();
  doors.backlog.check(definition.partition, definition.id, key !== undefined, now);
  const id = key === undefined ? createId(now) : toKeyedId(registered, key);
  const meta = toMeta(id, registered, http, now, 0);
  const traceparent = doors.tracing.accept(meta.traceparent);
  const span = doors.tracing.span("gateway accept", traceparent, { function: meta.function, space: meta.space });
  const outgoing = doors.tracing.childOf(span, traceparent);
  if (outgoing !== undefined) meta.traceparent = outgoing;
  doors.counts.invoked(definition.id);
  try {
    const accepted = key === undefined ? await doors.invocations.accept({ meta, body }) : await acceptKeyed();
    return { accepted, callId: meta.callId ?? id, acceptedAt: now };
  } catch (error) {
    if (error instanceof FnbusError && error.details?.id !== undefined) span?.setAttribute("in_doubt", true);
    throw error;
  } finally {
    span?.end();
  }

  function acceptKeyed(): Promise<Accepted> {
    // Without a verdict there would be no 202: say so before the log holds what the caller will send again.
    if (!doors.backlog.isHeard(definition.partition, now))
      throw new FnbusError("verdict_missing", "no ledger is heard");
    return doors.invocations.acceptOnce({ meta, body }, { bodyHash: toBodyHash(http.target, body) });
  }
}
