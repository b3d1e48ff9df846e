import type { EndState, EnvelopePlace, LiveState } from "@fnbus/contract";
import type { Action } from "./actions.ts";
import type { CoreEvent, Now } from "./events.ts";

/** Times and sizes of the ledger's rules. All have defaults; the simulation makes them small. */
export interface CoreLimits {
  /** Silent for so long: the executor is gone (L17). */
  executorLeaseMs: number;
  /** A gap between ticks over this is a turn in which nothing was heard (L17). */
  longTurnMs: number;
  /** An unanswered work pack is repeated after this (L15). */
  repeatMs: number;
  /** Keyed and named ids are kept so long after the outcome (L12). */
  keptWindowMs: number;
  keptIds: number;
  /** Other ids, longer than any publisher repeats a pack (L12). */
  recentWindowMs: number;
  recentIds: number;
  /** Unfinished invocations of the partition (L23). */
  unfinished: number;
  /** Marks of counting sources, and how long one is kept without a move (L10). */
  marks: number;
  markRetentionMs: number;
  /** A tick further ahead of its stored time is refused (L10). */
  tickAheadMs: number;
  /** Wait for the registry's index to reach an envelope's revision (L3). */
  indexWaitMs: number;
  /** Executors lost under one invocation before it is a dead letter (L17). */
  executorsLost: number;
  /** A checkpoint at least so often while anything changes, and after so many trimmable bytes or records. */
  checkpointMs: number;
  checkpointBytes: number;
  checkpointRecords: number;
  /** Envelopes copied to PARKED at once (L22). */
  parkEntries: number;
  /** Entries and bytes of one pack of ours. */
  packEntries: number;
  packBytes: number;
  /** Decisions that wait to be appended; over it results are left to be repeated by their executors (L16). */
  pendingRecords: number;
  /** Unanswered work packs to one executor; over it, it gets no new work (L15). */
  unansweredPacks: number;
}

/** The protections that the simulation removes in turn to prove that it would find their loss. */
export type Protection =
  | "L5"
  | "L7"
  | "L9"
  | "L10"
  | "L13"
  | "L15"
  | "L16"
  | "L17"
  | "L18"
  | "L19"
  | "L20"
  | "L21"
  | "L22"
  | "L23"
  | "L26";

/** A checkpoint as it was stored: its own object and the id segments that it names (`checkpointSegments`). */
export interface StoredCheckpoint {
  state: Uint8Array;
  segments: ReadonlyMap<string, Uint8Array>;
}

/** The logs when reading begins. A checkpoint of streams with other creation times is not used (L7). */
export interface LogsAtStart {
  invocations: { createdAt: number; first: number; last: number };
  outcomes: { createdAt: number; first: number; last: number };
}

export interface CoreOptions {
  partition: number;
  logs: LogsAtStart;
  checkpoint?: StoredCheckpoint;
  limits?: Partial<CoreLimits>;
  /** Only the simulation passes this. */
  withoutProtections?: ReadonlySet<Protection>;
}

/**
 * `following`: stand-by. `reading`: the lease is ours, the logs are read to their ends. `claiming`: the epoch is being
 * appended. `asking`: executors are asked what they hold. `owning`: work is handed out.
 */
export type Phase = "following" | "reading" | "claiming" | "asking" | "owning";

export interface LiveInvocation {
  id: string;
  registryId: string;
  place: EnvelopePlace;
  bytes: number;
  state: LiveState;
  /** Attempts that ended, of both kinds, and those of them that were lost. */
  attempts: number;
  lost: number;
  /** Broker's time stamp of its message. */
  acceptedAt: number;
  /** When it may run next; 0: now. */
  nextAt: number;
  deadlineAt: number;
  cancelAsked: boolean;
  executor?: string;
}

/** An id that ended and is still kept (L12). What it ended with is in OUTCOMES and the projection. */
export interface KeptInvocation {
  id: string;
  state: EndState;
  endedAt: number;
}

export interface FunctionQueue {
  registryId: string;
  queued: number;
  waiting: number;
  running: number;
  /** Time stamp of the first in the queue; 0: none. */
  oldestAt: number;
}

export interface Totals {
  accepted: number;
  unfinished: number;
  ended: Record<EndState, number>;
  /** Copies dropped by L9 and L10, refused positions, conflicts. */
  dropped: number;
}

/** Reading the state. Nothing here changes it. */
export interface CoreView {
  readonly phase: Phase;
  readonly epoch: number;
  /**
   * Which log may be fed now. Until OUTCOMES has been read to where it ended at the start, INVOCATIONS is fed only while
   * a pack waits for it (L5), so that a replay judges repeats as the owner did; many waiting packs hold OUTCOMES back.
   */
  wants(): { invocations: boolean; outcomes: boolean };
  /** Next sequences to read: where readers begin after a start from a checkpoint, and how far the state has come. */
  next(): { invocations: number; outcomes: number };
  find(id: string): LiveInvocation | KeptInvocation | undefined;
  /** Unfinished ones, newest row last; for lists and the bench. */
  unfinished(): Iterable<LiveInvocation>;
  queues(): FunctionQueue[];
  totals(): Totals;
  /** The mark of a counting source; undefined: never heard of (L10). */
  mark(source: string): number | undefined;
  /** 0..1 of bounds, for the announcement (L23). `keys`: kept ids. `marks`: of counting sources. */
  fill(): { backlog: number; keys: number; marks: number; fullFunctions: string[] };
  executors(): { executor: string; pool: string; capacity: number; held: number; heardAt: number; gone: boolean }[];
  /** Bytes in INVOCATIONS that unfinished envelopes take, and the first sequence that one stands in. */
  space(): { unfinishedBytes: number; floor: number };
  /** Decisions that wait to be durable. */
  readonly pendingRecords: number;
}

/**
 * The ledger of one partition as a pure state machine (L8): the same events give the same state and actions. The
 * actions of one event are valid until the next call of `apply`; the list is the caller's.
 */
export interface Core {
  apply(event: CoreEvent, now: Now): Action[];
  readonly view: CoreView;
}
