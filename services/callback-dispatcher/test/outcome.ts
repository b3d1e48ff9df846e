import { createId, type OutcomeRecord } from "@fnbus/contract";

/** An outcome as the ledger appends it, of a function that answered 200. */
export function toOutcome(callbackUrl: string, extra: Partial<OutcomeRecord> = {}): OutcomeRecord {
  const now = Date.now();
  return {
    type: "outcome",
    id: createId(),
    state: "succeeded",
    space: "default",
    function: "hello",
    registryId: createId(),
    revision: 1,
    qualifier: "latest",
    kind: "http",
    source: "http",
    method: "POST",
    path: "/",
    callbackUrl,
    bodyHash: "00",
    place: { stream: "invocations", sequence: 1, index: 0 },
    attempts: 1,
    lost: 0,
    acceptedAt: now,
    endedAt: now,
    result: {
      statusCode: 200,
      headers: [["content-type", "application/json"]],
      startedAt: now,
      durationMs: 12.5,
      cold: false,
      executor: "test",
    },
    ...extra,
  };
}
