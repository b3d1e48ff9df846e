import { errorRow, type HeaderList, type OutcomeRecord, toAnswerHeaders } from "@fnbus/contract";
import type { CallbackFacts } from "@fnbus/signing";

/** A callback as it is sent, the same bytes on every try (I4), less the signature that carries the time of the try. */
export interface CallbackRequest {
  url: string;
  headers: HeaderList;
  body: Uint8Array;
  facts: CallbackFacts;
}

const FALLBACK_TYPE = "application/octet-stream";

/** Builds what the receiver gets of an outcome. `body`: the function's answer; empty where it gave none. */
export function toCallbackRequest(outcome: OutcomeRecord, body: Uint8Array): CallbackRequest {
  const answered = outcome.result !== undefined && outcome.result.statusCode > 0;
  const status = answered ? outcome.result!.statusCode : errorStatus(outcome);
  const facts: CallbackFacts = {
    id: outcome.id,
    functionName: outcome.function,
    callId: outcome.callId ?? outcome.id,
    status,
    state: outcome.state,
  };
  const own = answered ? ownHeaders(outcome.result!.headers) : [];
  const type: HeaderList = own.some(([name]) => name === "content-type")
    ? []
    : [["content-type", answered ? FALLBACK_TYPE : "application/json"]];
  return {
    url: outcome.callbackUrl ?? "",
    facts,
    body: answered ? body : Buffer.from(JSON.stringify(toErrorPayload(outcome, status))),
    headers: [
      ...own,
      ...type,
      ["accept-encoding", "identity"],
      ...(own.some(([name]) => name === "user-agent") ? [] : ([["user-agent", "fnbus-callback"]] as HeaderList)),
      ["x-function-name", facts.functionName],
      ["x-function-status", String(status)],
      ["x-call-id", facts.callId],
      // The receiver may be a function of ours: the gateway stops a circle by this count.
      ["x-call-depth", String((outcome.depth ?? 0) + 1)],
      ["x-duration-seconds", ((outcome.result?.durationMs ?? 0) / 1000).toFixed(6)],
      ["x-fnbus-invocation-id", outcome.id],
      ["x-fnbus-state", outcome.state],
      ...(outcome.traceparent === undefined ? [] : ([["traceparent", outcome.traceparent]] as HeaderList)),
    ],
  };
}

/** What the function set, less what only the platform may say. A list that may not leave the platform leaves none of it. */
function ownHeaders(list: HeaderList): HeaderList {
  try {
    return toAnswerHeaders(list).filter(
      ([name]) => !name.startsWith("webhook-") && name !== "traceparent" && name !== "accept-encoding",
    );
  } catch {
    return [];
  }
}

const codeOf = (outcome: OutcomeRecord) => outcome.result?.error?.code ?? outcome.errorCode ?? "internal";
const errorStatus = (outcome: OutcomeRecord): number => errorRow(codeOf(outcome)).status;

/** Body of a callback for an invocation that gave no answer: SmartWorks' form of an error, with our code. */
function toErrorPayload(outcome: OutcomeRecord, status: number): object {
  const error = outcome.result?.error;
  return {
    error: {
      status,
      code: codeOf(outcome),
      message: error?.message ?? errorRow(codeOf(outcome)).title,
      ...(error?.details === undefined ? {} : { details: error.details }),
    },
  };
}
