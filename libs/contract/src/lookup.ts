import type { BodyReference, HeaderList } from "./envelope.ts";
import type { ErrorCode } from "./errors.ts";
import type { AttemptRecord, EndState, FreeRecord, InvocationState, OutcomeRecord } from "./outcome.ts";
import { decodeEntryPack, encodeEntryPack } from "./pack.ts";

/** Questions to the owner of a partition on ask.ledger.<partition>, and its answers. JSON head; bodies as payload behind an entry pack. */

export interface CallbackView {
  url: string;
  state: "pending" | "delivered" | "given-up";
  attempts: {
    attempt: number;
    at: number;
    durationMs: number;
    statusCode?: number;
    errorCode?: ErrorCode;
    message?: string;
    nextAt?: number;
  }[];
}

/** One invocation as the look-up shows it. Times are ms since 1970. */
export interface InvocationView {
  id: string;
  state: InvocationState;
  space: string;
  function: string;
  registryId: string;
  qualifier: string;
  source: string;
  trigger?: string;
  mode: "async" | "sync";
  method: string;
  path: string;
  callId?: string;
  idempotencyKey?: string;
  callbackUrl?: string;
  redriveOf?: string;
  traceparent?: string;
  acceptedAt: number;
  startedAt?: number;
  endedAt?: number;
  durationMs?: number;
  attempts: number;
  lost: number;
  /** Attempts that ended without being the outcome, oldest first. */
  history: Omit<AttemptRecord, "type" | "id">[];
  nextAttemptAt?: number;
  errorCode?: ErrorCode;
  errorMessage?: string;
  result?: { statusCode: number; headers: HeaderList; bytes: number; bodyReference?: BodyReference };
  callback?: CallbackView;
}

export interface ListFilter {
  space: string;
  function?: string;
  states?: InvocationState[];
  /** acceptedAt bounds, ms. */
  since?: number;
  until?: number;
  limit: number;
  /** From the previous page's `next`. */
  cursor?: string;
  callback?: "pending" | "delivered" | "given-up";
}

export type GiveUp = Extract<FreeRecord, { type: "give-up" }>;

/** Sources that one question about marks may name (I11). */
export const MARKS_MAX = 1_000;

export type Question =
  | { ask: "get"; space: string; id: string }
  /** Answers at the end, or with the present state when `timeoutMs` is over. */
  | { ask: "wait"; space: string; id: string; timeoutMs: number }
  /** The result's body as payload. */
  | { ask: "result"; space: string; id: string }
  | { ask: "list"; filter: ListFilter }
  | { ask: "cancel"; space: string; id: string }
  /** The dead letter's envelope as payload (a frame), for the gateway to publish anew (L12). `n`: which redrive it is. */
  | { ask: "redrive"; space: string; id: string }
  /** What any service gave up and recorded (I6), newest first. `before`: the previous page's `next`. */
  | { ask: "give-ups"; limit: number; before?: number }
  /** Of each counting source (32 hex digits, `toSourceHash`) its mark: where its publisher goes on (L10). */
  | { ask: "marks"; sources: string[] }
  | { ask: "totals" };

export type Answer =
  | { ok: true; answer: "invocation"; invocation: InvocationView }
  | { ok: true; answer: "result"; statusCode: number; headers: HeaderList; bodyReference?: BodyReference }
  | { ok: true; answer: "page"; invocations: InvocationView[]; next?: string }
  | { ok: true; answer: "cancelled"; state: InvocationState }
  | { ok: true; answer: "give-ups"; giveUps: GiveUp[]; next?: number }
  | { ok: true; answer: "envelope"; n: number }
  /** In the order asked for; null: none is kept, every position is above it. */
  | { ok: true; answer: "marks"; marks: (number | null)[] }
  | {
      ok: true;
      answer: "totals";
      accepted: number;
      unfinished: number;
      ended: Record<EndState, number>;
      dropped: number;
    }
  | { ok: false; code: ErrorCode; message: string; details?: Record<string, unknown> };

/** Requests to callback-dispatcher on ask.callbacks: JSON in, JSON out. */
export type CallbackQuestion =
  | { ask: "redrive"; space: string; id: string }
  | { ask: "endpoints" }
  | { ask: "resume"; host: string };

export type CallbackAnswer =
  | { ok: true; answer: "redriven" }
  | {
      ok: true;
      answer: "endpoints";
      endpoints: { host: string; paused: boolean; failingSince?: number; open: number; note?: string }[];
    }
  | { ok: true; answer: "resumed" }
  | { ok: false; code: ErrorCode; message: string };

/** What the look-up's store must know of an ended invocation that a page can show. */
export type StoredOutcome = Omit<OutcomeRecord, "type">;

/** A question as bytes: an entry pack whose head is the question. */
export const encodeQuestion = (question: Question): Buffer => encodeEntryPack(question, []);
/** Throws `envelope_invalid`. */
export const decodeQuestion = (bytes: Uint8Array): Question => decodeEntryPack<Question, never>(bytes).head;

/** An answer as bytes: an entry pack whose head is the answer; a body (`result`, `envelope`) is its one entry. */
export const encodeAnswer = (answer: Answer, body?: Uint8Array): Buffer =>
  encodeEntryPack(answer, body ? [{ meta: {}, body }] : []);
/** `body` is empty where the answer carries none. Throws `envelope_invalid`. */
export function decodeAnswer(bytes: Uint8Array): { answer: Answer; body: Uint8Array } {
  const { head, entries } = decodeEntryPack<Answer, object>(bytes);
  return { answer: head, body: entries[0]?.body ?? new Uint8Array(0) };
}
