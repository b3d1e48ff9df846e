import type { ServerResponse } from "node:http";
import { createId, type HeaderList, type RegisteredFunction, toFnbusError } from "@fnbus/contract";
import { type CallEnd, toCallRecord } from "../../core/call-record.ts";
import { toDeadlineMs } from "../../core/deadline.ts";
import { type HttpCall, toMeta } from "../../core/envelope.ts";
import type { CallAnswer } from "../../out/calls.ts";
import type { Doors } from "../doors.ts";
import { invokeKeyed } from "./invoke-keyed.ts";
import { carry, sendRun } from "./send-run.ts";

/** Refusals before a run began: these are answers, not calls that the look-up should show. */
const notRecorded = new Set(["no_executor", "concurrency_limited", "broker_unavailable", "store_unavailable"]);

/** A synchronous call. With an idempotency key it goes the durable way and waits for the outcome. */
export async function invokeSync(
  doors: Doors,
  registered: RegisteredFunction,
  http: HttpCall,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const { settings } = registered.definition;
  const deadlineMs = toDeadlineMs(settings, doors.settings.syncTimeoutMs, http.call.timeoutMs);
  if (http.call.idempotencyKey !== undefined) return invokeKeyed(doors, registered, http, body, deadlineMs, response);
  const now = Date.now();
  const meta = toMeta(createId(now), registered, http, now, deadlineMs);
  const traceparent = doors.tracing.accept(meta.traceparent);
  const span = doors.tracing.span("gateway invoke", traceparent, { function: meta.function, space: meta.space });
  const outgoing = doors.tracing.childOf(span, traceparent);
  if (outgoing !== undefined) meta.traceparent = outgoing;
  const headers: HeaderList = [
    ["x-call-id", meta.callId ?? meta.id],
    ["x-fnbus-invocation-id", meta.id],
  ];
  doors.counts.invoked(meta.registryId);
  const record = (end: CallEnd): void => {
    const made = toCallRecord(settings.record, meta, end, Date.now());
    if (made) doors.records.add(meta.partition, made);
  };
  let answer: CallAnswer | undefined;
  try {
    answer = await doors.calls.call(settings.pool, meta, body);
    record({ result: answer.result });
    sendRun(doors, answer, headers, response);
  } catch (thrown) {
    const { code } = toFnbusError(thrown);
    if (!answer && !notRecorded.has(code)) record({ refusal: code });
    carry(headers, response);
    throw thrown;
  } finally {
    span?.end();
  }
}
