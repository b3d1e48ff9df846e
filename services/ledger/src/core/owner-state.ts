import type { Announcement } from "@fnbus/contract";
import type { RecordDraft, WorkDraft } from "./actions.ts";
import type { Phase } from "./types.ts";

/** A decision on its way into OUTCOMES. What it decides stays decided until it is durable (L20). */
export interface Decision {
  draft: RecordDraft;
  /** The executor whose result this is, to be told that it is durable (L16). */
  from?: string;
}

/** One numbered pack to an executor that was not answered yet (L15). */
export interface UnansweredPack {
  number: number;
  entries: WorkEntryKept[];
  sentAt: number;
}

/** What a pack said, short enough to be said again: frames are found by id. */
export type WorkEntryKept = { type: "run"; id: string; attempt: number } | Exclude<WorkDraft, { type: "run" }>;

export interface ExecutorState {
  name: string;
  announcement: Announcement;
  /** Monotonic: last heard of, or the moment since which it has a whole lease (L17). */
  heardAt: number;
  warm: ReadonlySet<string>;
  /** It has taken this owner's epoch, and says so. */
  joined: boolean;
  askedAt: number;
  gone: boolean;
  /** It refused for want of room: no more until it announces itself again. */
  full: boolean;
  /** Runs it holds that are no longer its own: no new work until it has dropped them. */
  stale: number;
  /** Rows handed to it, with the number of the pack that did. */
  held: Map<number, number>;
  number: number;
  unanswered: UnansweredPack[];
  outbox: WorkEntryKept[];
}

export interface Assignment {
  executor: string;
  /** Broker's time of the hand-out. */
  at: number;
}

/** What only the owner knows, and a new owner finds out again (L4). Executors are heard on stand-bys too. */
export interface OwnerState {
  phase: Phase;
  name: string;
  epoch: number;
  /** Ends of the logs that the take-over must have read (L21). */
  readTo: { invocations: number; outcomes: number };
  gainedAt: number;
  /** At the take-over nothing was unfinished: nobody has to be waited for. */
  nothingRuns: boolean;
  /** Monotonic: since when this replica has heard announcements without a break (L17, L21). */
  hearingSince: number;
  connected: boolean;
  lastTick: number;

  executors: Map<string, ExecutorState>;
  /** Rows that run, and where. */
  running: Map<number, Assignment>;

  pending: Decision[];
  inFlight: Decision[];
  /** `flying`: a publish awaits its answer. `doubt`: the tail is being read. `again`: to be repeated. */
  append: "idle" | "flying" | "doubt" | "again";
  repeatAt: number;

  /** Who asked for a cancel that is not durable yet (L18). */
  cancels: Map<string, number[]>;

  parking: boolean;
  storing: { object: string; parts: string[]; invocations: number; outcomes: number } | undefined;
  checkpointAt: number;
  recordsSince: number;
  /** Bytes appended to OUTCOMES since its fill was last heard (L23). */
  appendedBytes: number;
  trimmed: { invocations: number; outcomes: number };
}

export const createOwnerState = (): OwnerState => ({
  phase: "following",
  name: "",
  epoch: 0,
  readTo: { invocations: 0, outcomes: 0 },
  gainedAt: 0,
  nothingRuns: false,
  hearingSince: -1,
  connected: true,
  lastTick: -1,
  executors: new Map(),
  running: new Map(),
  pending: [],
  inFlight: [],
  append: "idle",
  repeatAt: 0,
  cancels: new Map(),
  parking: false,
  storing: undefined,
  checkpointAt: 0,
  recordsSince: 0,
  appendedBytes: 0,
  trimmed: { invocations: 0, outcomes: 0 },
});
