import type {
  AttemptRecord,
  CancelRecord,
  CheckpointRecord,
  EndState,
  EnvelopePlace,
  EpochRecord,
  ErrorCode,
  InvocationState,
  OutcomeHead,
  ParkedRecord,
  RunResult,
  Verdict,
  WorkHead,
} from "@fnbus/contract";

/**
 * An outcome as the core decides it. The core keeps fixed parts only (L27), so the shell completes the OutcomeRecord
 * from the envelope's metadata block, which it reads at `place` (its cache, else the stream): space, function,
 * qualifier, kind, source, trigger, position, method, path, callId, idempotencyKey, callbackUrl, redriveOf, bodyHash,
 * acceptedAt, traceparent, revision. `body` becomes the entry's body. Of a dead letter the shell first copies the
 * envelope to PARKED, unless it is there, and writes that place (L25).
 */
export interface OutcomeDraft {
  type: "outcome";
  id: string;
  registryId: string;
  place: EnvelopePlace;
  state: EndState;
  attempts: number;
  lost: number;
  /** Broker's time as the record will carry it: windows are counted from it (L6, L12). */
  endedAt: number;
  result?: RunResult;
  body?: Uint8Array;
  errorCode?: ErrorCode;
}

/** What is to be appended: outcomes as drafts, everything else as it is written. */
export type RecordDraft = OutcomeDraft | AttemptRecord | CancelRecord | ParkedRecord | EpochRecord | CheckpointRecord;

/** One entry of a work pack. The shell adds the frame at `place` to "run" as the entry's body. */
export type WorkDraft =
  | { type: "run"; id: string; attempt: number; leftMs: number; place: EnvelopePlace }
  | { type: "cancel"; id: string }
  | { type: "durable"; ids: string[] }
  | { type: "forget"; ids: string[] };

export interface CheckpointPart {
  object: string;
  bytes: Uint8Array;
}

/** What the shell is to do. Actions of one list are begun in order; none waits for another unless it says so. */
export type Action =
  /**
   * Publish one pack to OUTCOMES with expected-last-subject-sequence `expected`. At most one is in flight; the answer
   * is `appended` or `append-failed`. After a failure the same drafts come again: they must become the same bytes.
   */
  | { do: "append"; expected: number; head: OutcomeHead; records: readonly RecordDraft[] }
  /** Feed OUTCOMES up to its present end, then `tail-read` (L20). */
  | { do: "read-tail" }
  /** Publish to work.<executor>. Packs to one executor leave in the order of their numbers, frames fetched or not. */
  | { do: "work"; executor: string; head: WorkHead; entries: readonly WorkDraft[] }
  /** Request holds.<executor> with the epoch in the lease's key; its Announcement comes as an event (L21). */
  | { do: "ask-holds"; executor: string; epoch: number }
  /** The epoch record is durable: put the epoch into the lease's value, where executors read it (L19). */
  | { do: "publish-epoch"; epoch: number }
  | { do: "verdicts"; inbox: string; verdicts: readonly Verdict[] }
  /** The state after the cancel; undefined: no such invocation. An ended one was not cancelled by this. */
  | { do: "answer-cancel"; ticket: number; state: InvocationState | undefined }
  /** Copy these frames from INVOCATIONS to PARKED; answer `parked` once acknowledged, or `park-failed` (L22). */
  | { do: "park"; entries: readonly { id: string; place: EnvelopePlace; bytes: number }[] }
  /** Store every part, the one named `object` last, then answer. Parts stored earlier are not repeated (L7, L12). */
  | { do: "store-checkpoint"; object: string; parts: readonly CheckpointPart[] }
  /** This checkpoint is durable and names these objects: delete the partition's other ones that are older than it. */
  | { do: "sweep-checkpoints"; named: readonly string[] }
  /** Remove everything below `below`. Never removes the last message of OUTCOMES (L20). */
  | { do: "trim"; stream: "invocations" | "outcomes"; below: number }
  /** The fence is lost: stop handing out, release the lease, follow (L20). */
  | { do: "stop-owning"; reason: string }
  /**
   * Something that a person should hear of. After "log-gap" the state lacks messages that were trimmed before they were
   * read: build the core anew from the newest checkpoint.
   */
  | { do: "alarm"; what: Alarm; details: Record<string, unknown> };

export type Alarm =
  | "log-gap"
  | "stream-recreated"
  | "parked-full"
  | "outcomes-full"
  | "ids-full"
  | "marks-full"
  | "envelope-unreadable"
  | "executor-lost"
  | "fence-lost";
