import type { AttemptRecord, FreeRecord, InvocationView, OutcomeRecord } from "@fnbus/contract";

export type CallbackAttempt = Extract<FreeRecord, { type: "callback-attempt" }>;
export type CallbackEnd = Extract<FreeRecord, { type: "callback-end" }>["how"];
/** What both an outcome and a recorded synchronous call hold. */
export type EndedRecord = Omit<OutcomeRecord, "type" | "place" | "bodyHash">;

/** Everything that the store knows of one ended invocation. */
export interface Ended {
  record: EndedRecord;
  mode: "async" | "sync";
  /** Of the result's body. */
  bytes: number;
  history: AttemptRecord[];
  callbackAttempts: CallbackAttempt[];
  callbackEnd: CallbackEnd | undefined;
}

/** An ended invocation as the look-up shows it. */
export function toEndedView(ended: Ended): InvocationView {
  const { record, mode, bytes, history } = ended;
  const { result } = record;
  const code = record.errorCode ?? result?.error?.code;
  return {
    id: record.id,
    state: record.state,
    space: record.space,
    function: record.function,
    registryId: record.registryId,
    qualifier: record.qualifier,
    source: record.source,
    mode,
    method: record.method,
    path: record.path,
    acceptedAt: record.acceptedAt,
    endedAt: record.endedAt,
    attempts: record.attempts,
    lost: record.lost,
    history: history.map(toHistory),
    ...(record.trigger === undefined ? {} : { trigger: record.trigger }),
    ...(record.callId === undefined ? {} : { callId: record.callId }),
    ...(record.idempotencyKey === undefined ? {} : { idempotencyKey: record.idempotencyKey }),
    ...(record.callbackUrl === undefined ? {} : { callbackUrl: record.callbackUrl, callback: toCallback(ended) }),
    ...(record.redriveOf === undefined ? {} : { redriveOf: record.redriveOf }),
    ...(record.traceparent === undefined ? {} : { traceparent: record.traceparent }),
    ...(code === undefined ? {} : { errorCode: code }),
    ...(result?.error === undefined ? {} : { errorMessage: result.error.message }),
    ...(result === undefined
      ? {}
      : {
          startedAt: result.startedAt,
          durationMs: result.durationMs,
          result: {
            statusCode: result.statusCode,
            headers: result.headers,
            bytes: result.bodyReference?.bytes ?? bytes,
            ...(result.bodyReference === undefined ? {} : { bodyReference: result.bodyReference }),
          },
        }),
  };
}

/** One attempt of a view's history: the record without what the view says already. */
export function toHistory(attempt: AttemptRecord): InvocationView["history"][number] {
  const { type: _type, id: _id, ...rest } = attempt;
  return rest;
}

function toCallback({ record, callbackAttempts, callbackEnd }: Ended): NonNullable<InvocationView["callback"]> {
  return {
    url: record.callbackUrl ?? "",
    state: callbackEnd ?? "pending",
    attempts: callbackAttempts.map(({ type: _type, id: _id, url: _url, manual: _manual, ...shown }) => shown),
  };
}
