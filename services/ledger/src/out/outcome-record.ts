import type { EnvelopeMeta, EnvelopePlace, FrameHead, OutcomeRecord, RegisteredFunction } from "@fnbus/contract";
import type { OutcomeDraft } from "../core/index.ts";

/** What the core does not keep and the record must show. */
export interface EnvelopeFacts {
  meta: Pick<EnvelopeMeta, "space" | "function" | "qualifier" | "kind" | "source" | "method" | "path"> &
    Partial<EnvelopeMeta>;
  bodyHash: string;
  revision: number;
}

const NO_HASH = "0".repeat(32);

/** The record of an outcome, from what the core decided and what the envelope says (L5). */
export function toOutcomeRecord(
  draft: OutcomeDraft,
  { meta, bodyHash, revision }: EnvelopeFacts,
  acceptedAt: number,
  place: EnvelopePlace,
): OutcomeRecord {
  return {
    type: "outcome",
    id: draft.id,
    state: draft.state,
    space: meta.space,
    function: meta.function,
    registryId: draft.registryId,
    revision,
    qualifier: meta.qualifier,
    kind: meta.kind,
    source: meta.source,
    method: meta.method,
    path: meta.path,
    bodyHash,
    place,
    attempts: draft.attempts,
    lost: draft.lost,
    acceptedAt,
    endedAt: draft.endedAt,
    ...(meta.trigger === undefined ? {} : { trigger: meta.trigger }),
    ...(meta.position === undefined ? {} : { position: meta.position }),
    ...(meta.callId === undefined ? {} : { callId: meta.callId }),
    ...(meta.idempotencyKey === undefined ? {} : { idempotencyKey: meta.idempotencyKey }),
    ...(meta.callbackUrl === undefined ? {} : { callbackUrl: meta.callbackUrl }),
    ...(meta.redriveOf === undefined ? {} : { redriveOf: meta.redriveOf }),
    ...(meta.depth === undefined ? {} : { depth: meta.depth }),
    ...(meta.traceparent === undefined ? {} : { traceparent: meta.traceparent }),
    ...(draft.result === undefined ? {} : { result: draft.result }),
    ...(draft.errorCode === undefined ? {} : { errorCode: draft.errorCode }),
  };
}

export const toFacts = (meta: EnvelopeMeta, head: FrameHead): EnvelopeFacts => ({
  meta,
  bodyHash: head.bodyHash,
  revision: head.revision,
});

/** Of an envelope whose bytes are gone or damaged: what the registry knows, so that its end is recorded all the same (I3). */
export const factsWithoutEnvelope = (known: RegisteredFunction | undefined): EnvelopeFacts => ({
  meta: {
    space: known?.definition.space ?? "",
    function: known?.definition.name ?? "",
    qualifier: "latest",
    kind: "event",
    source: "bus",
    method: "POST",
    path: "/",
  },
  bodyHash: NO_HASH,
  revision: known?.revision ?? 0,
});
