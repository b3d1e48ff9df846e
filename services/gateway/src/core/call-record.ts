import type { EnvelopeMeta, ErrorCode, FreeRecord, FunctionSettings, RunResult } from "@fnbus/contract";

/** What came of a synchronous call: a run, or the platform's refusal. */
export type CallEnd = { result: RunResult } | { refusal: ErrorCode };

/** The record of a synchronous call for the look-up, or undefined where the function's settings want none. */
export function toCallRecord(
  wanted: FunctionSettings["record"],
  meta: EnvelopeMeta,
  end: CallEnd,
  endedAt: number,
): FreeRecord | undefined {
  const errorCode = "refusal" in end ? end.refusal : end.result.error?.code;
  if (wanted === "none" || (wanted === "failures" && errorCode === undefined)) return undefined;
  const { id, space, registryId, revision, qualifier, kind, source, method, path, acceptedAt } = meta;
  return {
    type: "call",
    at: endedAt,
    outcome: {
      id,
      state: errorCode === undefined ? "succeeded" : "failed",
      space,
      function: meta.function,
      registryId,
      revision,
      qualifier,
      kind,
      source,
      method,
      path,
      ...(meta.callId === undefined ? {} : { callId: meta.callId }),
      ...(meta.traceparent === undefined ? {} : { traceparent: meta.traceparent }),
      attempts: "result" in end ? 1 : 0,
      lost: 0,
      acceptedAt,
      endedAt,
      ...("result" in end ? { result: withoutBody(end.result) } : {}),
      ...(errorCode === undefined ? {} : { errorCode }),
    },
  };
}

/** The caller had the body, and it was dropped with the answer: the look-up must not point to it. */
function withoutBody({ bodyReference: _dropped, ...result }: RunResult): RunResult {
  return result;
}
