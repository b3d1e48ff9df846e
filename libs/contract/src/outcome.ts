import type { BodyReference, HeaderList, InvocationKind, Position, Source } from "./envelope.ts";
import type { ErrorCode } from "./errors.ts";

/** The five ends of an invocation (I3). */
export type EndState = "succeeded" | "failed" | "cancelled" | "expired" | "dead-lettered";
export const endStates: readonly EndState[] = ["succeeded", "failed", "cancelled", "expired", "dead-lettered"];
/** Before its end: waiting for its turn, handed out, or waiting for its next attempt. */
export type LiveState = "queued" | "running" | "waiting";
export type InvocationState = EndState | LiveState;

/** Where an envelope stands: its message's sequence in INVOCATIONS or PARKED and its place in the pack. */
export interface EnvelopePlace {
  stream: "invocations" | "parked";
  sequence: number;
  index: number;
}

/** What one run of a function gave. The raw result body travels beside it. */
export interface RunResult {
  /** Status that the function answered; of an event handler that returned, 200. 0 where there was no answer. */
  statusCode: number;
  headers: HeaderList;
  /** Set where the run failed: of side `function` or `platform` (I9). */
  error?: { code: ErrorCode; message: string; type?: string; stack?: string[]; details?: Record<string, unknown> };
  startedAt: number;
  durationMs: number;
  /** The instance was started for this run. */
  cold: boolean;
  memoryUsedMb?: number;
  executor: string;
  /** Where the result body was put when it is over `limits.inlineBodyBytes`. */
  bodyReference?: BodyReference;
}

/** One attempt that ended without being the outcome. */
export interface AttemptRecord {
  type: "attempt";
  id: string;
  attempt: number;
  /** `lost`: its executor was. Lost attempts count apart from the policy's. */
  how: "lost" | "failed";
  executor: string;
  errorCode: ErrorCode;
  message: string;
  startedAt: number;
  durationMs: number;
  /** When it is to run again, ms since 1970 on the broker's clock. */
  nextAt: number;
}

/** The end. All that the look-up shows is in it (L5), so that the projection reads nothing else. */
export interface OutcomeRecord {
  type: "outcome";
  id: string;
  state: EndState;
  space: string;
  function: string;
  registryId: string;
  revision: number;
  qualifier: string;
  kind: InvocationKind;
  source: Source;
  trigger?: string;
  position?: Position;
  method: string;
  path: string;
  callId?: string;
  idempotencyKey?: string;
  callbackUrl?: string;
  redriveOf?: string;
  bodyHash: string;
  place: EnvelopePlace;
  attempts: number;
  lost: number;
  acceptedAt: number;
  endedAt: number;
  result?: RunResult;
  errorCode?: ErrorCode;
  traceparent?: string;
  /** The envelope's hops, for the callback's X-Call-Depth. */
  depth?: number;
}

export interface CancelRecord {
  type: "cancel";
  id: string;
  at: number;
}

/** These envelopes now stand in PARKED; the record stands over any copy in INVOCATIONS (L22). */
export interface ParkedRecord {
  type: "parked";
  entries: { id: string; place: EnvelopePlace }[];
}

export interface EpochRecord {
  type: "epoch";
  owner: string;
}

export interface CheckpointRecord {
  type: "checkpoint";
  object: string;
  /** The checkpoint covers INVOCATIONS below this sequence, and OUTCOMES up to the pack before its own. */
  invocations: number;
}

export type LedgerRecord = AttemptRecord | OutcomeRecord | CancelRecord | ParkedRecord | EpochRecord | CheckpointRecord;

/** Head of every pack on OUTCOMES: who wrote it, and how far its writer had applied INVOCATIONS (L5). */
export interface OutcomeHead {
  epoch: number;
  partition: number;
  applied: number;
}

/** What any service appends to RECORDS (L1): deliveries, recorded synchronous calls, every give-up. */
export type FreeRecord =
  | {
      type: "callback-attempt";
      id: string;
      attempt: number;
      url: string;
      at: number;
      durationMs: number;
      statusCode?: number;
      errorCode?: ErrorCode;
      message?: string;
      /** When the next is due; absent after the last. */
      nextAt?: number;
      manual?: boolean;
    }
  | { type: "callback-end"; id: string; at: number; how: "delivered" | "given-up"; attempts: number; reason?: string }
  | { type: "call"; at: number; outcome: Omit<OutcomeRecord, "type" | "place" | "bodyHash"> }
  | {
      type: "give-up";
      at: number;
      service: string;
      what: string;
      reason: string;
      id?: string;
      details?: Record<string, unknown>;
    };
