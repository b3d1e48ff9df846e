import type { ServerResponse } from "node:http";
import { errorRow, type HeaderList, toAnswerHeaders } from "@fnbus/contract";
import { toRunError } from "../../core/run-error.ts";
import type { CallAnswer } from "../../out/calls.ts";
import type { Doors } from "../doors.ts";
import { writeAnswer } from "./answer.ts";

/** The function's own answer, whatever its status; where there was none, throws the run's error. */
export function sendRun(
  doors: Doors,
  { result, body }: CallAnswer,
  headers: HeaderList,
  response: ServerResponse,
): void {
  const { error } = result;
  if (error && result.statusCode === 0) throw toRunError(error);
  const all = toAnswerHeaders(result.headers);
  // Only an answer of the function carries how long it ran: clients tell it from an error by that.
  all.push(...headers, ["x-duration-seconds", (result.durationMs / 1000).toFixed(6)]);
  // The function answered, and what it answered counts as a failure: said beside its answer, not instead of it (I9).
  if (error) all.push(["x-fnbus-error", error.code], ["x-fnbus-error-side", errorRow(error.code).side]);
  doors.counts.answered("sync", error?.code ?? "ok");
  writeAnswer(response, result.statusCode, all, body);
}

/** Headers that the answer to an error carries too. */
export function carry(headers: HeaderList, response: ServerResponse): void {
  for (const [name, value] of headers) response.setHeader(name, value);
}
