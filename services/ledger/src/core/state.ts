import type { EndState } from "@fnbus/contract";
import type { Action } from "./actions.ts";
import type { CoreEvent, Now, StreamFill } from "./events.ts";
import { KeptIds } from "./kept-ids.ts";
import { defaultLimits, segmentMs } from "./limits.ts";
import { LiveMessages } from "./live-messages.ts";
import { Marks } from "./marks.ts";
import { createOwnerState, type OwnerState } from "./owner-state.ts";
import { Queues } from "./queues.ts";
import { Rows } from "./rows.ts";
import { Ticks } from "./ticks.ts";
import { Timers } from "./timers.ts";
import type { CoreLimits, CoreOptions, LogsAtStart, Protection } from "./types.ts";

export type OutcomesEvent = Extract<CoreEvent, { type: "outcomes" }>;

/** A checkpoint whose reference stands in OUTCOMES. */
export interface CheckpointMark {
  object: string;
  /** It covers INVOCATIONS and OUTCOMES below these; of OUTCOMES only its writer knows, who trims. */
  invocations: number;
  outcomes: number;
  /** Sequence of the record that names it. */
  record: number;
}

/** All that a replica knows. What the logs say comes first; `owner` is empty on a stand-by. */
export interface State {
  readonly partition: number;
  readonly limits: CoreLimits;
  readonly without: ReadonlySet<Protection>;
  readonly logs: LogsAtStart;

  readonly rows: Rows;
  readonly timers: Timers;
  readonly queues: Queues;
  readonly live: LiveMessages;
  /** Keyed and named ids, and all others (L12). */
  readonly kept: KeptIds;
  readonly recent: KeptIds;
  readonly marks: Marks;
  readonly ticks: Ticks;
  readonly totals: { accepted: number; dropped: number; ended: Record<EndState, number> };
  /** Highest time stamp read on INVOCATIONS: the broker's time by which repeats are judged (L6). */
  stamp: number;
  next: { invocations: number; outcomes: number };
  /** Packs of OUTCOMES that wait until INVOCATIONS has been read as far as their writer had (L5). */
  readonly held: OutcomesEvent[];
  /** Last sequence of OUTCOMES that was read, held or applied: what the fence expects (L20). */
  lastOutcomes: number;
  lastEpoch: number;
  unfinishedBytes: number;
  /** Oldest outcome with a callback since nothing was trimmed: a bound while no dispatcher has ever announced (L26). */
  firstCallback: number | undefined;
  checkpoint: CheckpointMark | undefined;
  /** Messages were trimmed before they were read here: what they decided is not known, so nothing more is decided. */
  hasGap: boolean;

  /** Newest revision that the registry's index has applied, and rows that wait for a newer one (L3). */
  indexRevision: number;
  unresolved: { id: string; revision: number; delayMs: number }[];
  fill: { invocations: StreamFill; outcomes: StreamFill; parked: StreamFill } | undefined;
  callbacksMark: number | undefined;
  projectionMark: number | undefined;

  readonly owner: OwnerState;
  now: Now;
  actions: Action[];
}

export function createState(options: CoreOptions): State {
  const limits = { ...defaultLimits, ...options.limits };
  const rows = new Rows();
  const keptIds = (kind: "keyed" | "recent", windowMs: number) =>
    new KeptIds({ kind, windowMs, segmentMs: segmentMs(windowMs), withHashes: kind === "keyed" });
  const { logs } = options;
  const next = { invocations: Math.max(1, logs.invocations.first), outcomes: Math.max(1, logs.outcomes.first) };
  return {
    partition: options.partition,
    limits,
    without: options.withoutProtections ?? new Set(),
    logs,
    rows,
    timers: new Timers(rows),
    queues: new Queues(rows),
    live: new LiveMessages(next.invocations),
    kept: keptIds("keyed", limits.keptWindowMs),
    recent: keptIds("recent", limits.recentWindowMs),
    marks: new Marks(limits.markRetentionMs, limits.marks),
    ticks: new Ticks(),
    totals: {
      accepted: 0,
      dropped: 0,
      ended: { succeeded: 0, failed: 0, cancelled: 0, expired: 0, "dead-lettered": 0 },
    },
    stamp: 0,
    next,
    held: [],
    lastOutcomes: next.outcomes - 1,
    lastEpoch: 0,
    unfinishedBytes: 0,
    firstCallback: undefined,
    checkpoint: undefined,
    hasGap: false,
    indexRevision: 0,
    unresolved: [],
    fill: undefined,
    callbacksMark: undefined,
    projectionMark: undefined,
    owner: createOwnerState(),
    now: { mono: 0, broker: 0, leaseSafe: false },
    actions: [],
  };
}
