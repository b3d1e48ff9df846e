import { errorRow, type HeaderList, toAnswerHeaders } from "@fnbus/contract";
import type { FastifyReply } from "fastify";
import { toRunError } from "../../core/run-error.ts";
import type { CallAnswer } from "../../out/calls.ts";
import type { Doors } from "../doors.ts";
import { sendAnswer } from "./answer.ts";

/** The function's own answer, whatever its status; where there was none, throws the run's error. */
export function sendRun(
  doors: Doors,
  { result, body }: CallAnswer,
  headers: HeaderList,
  reply: FastifyReply,
): FastifyReply {
  const { error } = result;
  return withHeaders(headers, reply, () => {
    if (error && result.statusCode === 0) throw toRunError(error);
    // The function answered, and what it answered counts as a failure: said beside its answer, not instead of it (I9).
    const verdict: HeaderList = error
      ? [
          ["x-fnbus-error", error.code],
          ["x-fnbus-error-side", errorRow(error.code).side],
        ]
      : [];
    // Only an answer of the function carries how long it ran: clients tell it from an error by that.
    const duration: [string, string] = ["x-duration-seconds", (result.durationMs / 1000).toFixed(6)];
    const all = [...toAnswerHeaders(result.headers), ...headers, duration, ...verdict];
    doors.counts.answered("sync", error?.code ?? "ok");
    return sendAnswer(reply, result.statusCode, all, body);
  });
}

/** Does `work`; where it throws, the error's answer carries these headers too. */
export function withHeaders<T>(headers: HeaderList, reply: FastifyReply, work: () => T): T {
  const carry = (error: unknown): never => {
    for (const [name, value] of headers) reply.raw.setHeader(name, value);
    throw error;
  };
  try {
    const done = work();
    return done instanceof Promise ? (done.catch(carry) as T) : done;
  } catch (error) {
    return carry(error);
  }
}
