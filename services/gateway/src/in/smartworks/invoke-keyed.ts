import type { ServerResponse } from "node:http";
import { endStates, FnbusError, type HeaderList, type InvocationView, type RegisteredFunction } from "@fnbus/contract";
import type { HttpCall } from "../../core/envelope.ts";
import type { Doors } from "../doors.ts";
import { accept } from "./invoke-async.ts";
import { carry, sendRun } from "./send-run.ts";

/**
 * A synchronous call with an idempotency key: accepted as any asynchronous one, then its outcome is waited for (I2).
 * Throws `deadline_exceeded` with the id, `result_gone` with the state.
 */
export async function invokeKeyed(
  doors: Doors,
  registered: RegisteredFunction,
  http: HttpCall,
  body: Buffer,
  deadlineMs: number,
  response: ServerResponse,
): Promise<void> {
  const start = performance.now();
  const { space, partition } = registered.definition;
  const { accepted, callId } = await accept(doors, registered, http, body);
  const { id } = accepted;
  const headers: HeaderList = [
    ["x-call-id", callId],
    ["x-fnbus-invocation-id", id],
    ["location", `/v1/spaces/${space}/invocations/${id}`],
  ];
  if (accepted.replayed) headers.push(["idempotent-replayed", "true"]);
  try {
    const timeoutMs = Math.max(1, deadlineMs - (performance.now() - start));
    const { invocation } = (await doors.ledger.ask(partition, { ask: "wait", space, id, timeoutMs }, "invocation"))
      .answer;
    if (!isEnded(invocation))
      throw new FnbusError("deadline_exceeded", undefined, { details: { id, state: invocation.state } });
    await sendOutcome(doors, partition, invocation, headers, response);
  } catch (thrown) {
    carry(headers, response);
    throw thrown;
  }
}

const isEnded = ({ state }: InvocationView): boolean => (endStates as readonly string[]).includes(state);

async function sendOutcome(
  doors: Doors,
  partition: number,
  view: InvocationView,
  headers: HeaderList,
  response: ServerResponse,
): Promise<void> {
  const { space, id, state, errorCode } = view;
  if (!view.result || view.result.statusCode === 0)
    throw new FnbusError(errorCode ?? "result_gone", view.errorMessage, { details: { id, state } });
  const { answer, body } = await doors.ledger.ask(partition, { ask: "result", space, id }, "result").catch((error) => {
    const isGone = error instanceof FnbusError && ["result_gone", "invocation_not_found"].includes(error.code);
    throw isGone ? new FnbusError("result_gone", undefined, { details: { id, state } }) : error;
  });
  const result = {
    statusCode: answer.statusCode,
    headers: answer.headers,
    startedAt: view.startedAt ?? 0,
    durationMs: view.durationMs ?? 0,
    cold: false,
    executor: "",
    ...(errorCode === undefined ? {} : { error: { code: errorCode, message: view.errorMessage ?? "" } }),
  };
  const bytes = answer.bodyReference ? await doors.bodies.get(answer.bodyReference) : body;
  return sendRun(doors, { result, body: bytes }, headers, response);
}
