import type {
  Announcement,
  ErrorCode,
  FrameHead,
  LedgerRecord,
  OutcomeHead,
  ResultEntry,
  ResultsHead,
  RetryPolicy,
} from "@fnbus/contract";

/** What the core may know of time; it reads no clock of its own (L8). */
export interface Now {
  /** Monotonic, ms: leases of executors are counted on it. */
  mono: number;
  /** Estimate of the broker's clock, ms since 1970: newest time stamp read, plus what has passed since (L6). */
  broker: number;
  /** Whether a renewal of the ownership lease acknowledged less than half a lease ago stands (L19). */
  leaseSafe: boolean;
}

/** What the owner needs of a function's definition. */
export interface FunctionRules {
  /** Runs of asynchronous work at once, exact (L13). */
  limit: number;
  /** Turns that its queue gets among the queues of its pool. */
  weight: number;
  pool: string;
  retry: RetryPolicy;
  /** For envelopes that carry no time to live. */
  maxAgeMs: number;
  /** Unfinished invocations that it may have (L23); over it, it is announced as full. */
  backlog: number;
}

/** Bytes and sequences of a stream, as far as L22 and L23 ask. */
export interface StreamFill {
  first: number;
  last: number;
  bytes: number;
  maxBytes: number;
}

/** One result with its raw body. The core keeps both until the outcome's pack is durable. */
export interface ResultArrived {
  meta: ResultEntry;
  body: Uint8Array;
}

export interface ParkedPlace {
  id: string;
  sequence: number;
  index: number;
}

/**
 * What happens to the ledger. Every replica is fed the logs, announcements, function rules, marks and ticks; the rest
 * reaches the owner only.
 */
export type CoreEvent =
  /** A pack on INVOCATIONS, in order. A message that cannot be decoded comes with no heads, so that reading goes on. */
  | { type: "invocations"; sequence: number; at: number; heads: readonly FrameHead[]; verdictInbox?: string }
  /** A pack on OUTCOMES, in order; our own coming back is recognised by its sequence. */
  | { type: "outcomes"; sequence: number; head: OutcomeHead; records: readonly LedgerRecord[] }
  /** The answer to `append`, with its epoch: one to an earlier ownership says nothing of the pack in flight now. */
  | { type: "appended"; epoch: number; sequence: number }
  /** `refused`: 10071. `in-doubt`: no answer. `not-stored`: surely not stored (stream full, say), to be repeated. */
  | { type: "append-failed"; epoch: number; how: "refused" | "in-doubt" | "not-stored" }
  /** The answer to `read-tail`: all of OUTCOMES up to `last`, its end at the time of asking, has been fed as events. */
  | { type: "tail-read"; last: number }
  | { type: "announcement"; announcement: Announcement }
  | { type: "results"; head: ResultsHead; entries: readonly ResultArrived[] }
  | { type: "cancel"; ticket: number; id: string }
  /** Every 100 ms. A gap of over a second is a turn of the loop in which nothing was heard (L17). */
  | { type: "tick" }
  | { type: "connection"; connected: boolean }
  /** Ends of both logs, asked for after the lease was acquired: the take-over reads at least as far (L21). */
  | { type: "lease-gained"; owner: string; lastInvocations: number; lastOutcomes: number }
  | { type: "lease-lost" }
  /**
   * Of one function; absent rules: deleted. All present functions are fed before `lease-gained`: what is not known by
   * then, and not newer than the index, counts as deleted (L3).
   */
  | { type: "function"; registryId: string; rules?: FunctionRules; indexRevision: number }
  /** The index has applied the registry up to this revision (L3). */
  | { type: "index"; revision: number }
  /** Every second. `parkedBytes` tells whether a copy would fit. */
  | { type: "streams"; invocations: StreamFill; outcomes: StreamFill; parked: StreamFill }
  /** callback-dispatcher needs OUTCOMES from this sequence on (L26). */
  | { type: "callbacks-mark"; from: number }
  /** The projection has stored OUTCOMES below this sequence (L22). */
  | { type: "projection-mark"; from: number }
  /** The answer to `park`: the copies are durable in PARKED, or there was no room. */
  | { type: "parked"; places: readonly ParkedPlace[] }
  | { type: "park-failed" }
  /** The answer to `store-checkpoint`: all its objects are stored, or not. */
  | { type: "checkpoint-stored"; object: string }
  | { type: "checkpoint-failed"; object: string }
  /** The envelope's bytes are gone or damaged: it ends as failed with this code. */
  | { type: "unreadable"; id: string; code: ErrorCode };
