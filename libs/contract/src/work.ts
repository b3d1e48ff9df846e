import type { BodyReference } from "./envelope.ts";
import type { ErrorCode } from "./errors.ts";
import type { HandlerStyle, Runtime } from "./functions.ts";
import type { RunResult } from "./outcome.ts";

/**
 * Between ledger and executors, over core NATS (LEDGER.md L14 .. L18). All are entry packs (pack.ts).
 *
 * work.<executor>        WorkHead + WorkEntry[]      ledger to executor; body of "run" = the frame as it was published
 * results.<partition>    ResultsHead + ResultEntry[] executor to ledger; body = the result's raw bytes
 * announce.executors     Announcement (plain JSON)   every second, and as the answer to holds.<executor>
 */
export interface WorkHead {
  partition: number;
  epoch: number;
  /** Numbered within the epoch from 1, without a gap. An executor applies them in order and drops numbers it has had. */
  number: number;
}

export type WorkEntry =
  /** Run it. `leftMs`: until it expires, from now; the function's own timeout applies to the run. */
  | { type: "run"; id: string; attempt: number; leftMs: number }
  /** Stop it, or do not start it. */
  | { type: "cancel"; id: string }
  /** The results of these are durable: drop them. */
  | { type: "durable"; ids: string[] }
  /** The owner does not know these: drop them. */
  | { type: "forget"; ids: string[] };

export interface ResultsHead {
  executor: string;
  partition: number;
  /** The highest pack number applied in this epoch. */
  epoch: number;
  applied: number;
}

export type ResultEntry =
  | { type: "result"; id: string; attempt: number; result: RunResult }
  /** Not started for want of room, or because the executor drains: no attempt. */
  | { type: "refused"; id: string; attempt: number; why: "full" | "draining" };

/** What an executor says of itself every second (L14). Ids it holds: running, or with a result that is not durable yet. */
export interface Announcement {
  executor: string;
  pool: string;
  /** How many runs of asynchronous work it will hold in all, now. 0 when it drains. */
  capacity: number;
  draining: boolean;
  isolation: "sandbox" | "process";
  memoryLimits: boolean;
  /** For each partition it knows: newest epoch, highest pack applied, ids held with their attempts. */
  partitions: Record<string, { epoch: number; applied: number; holds: [id: string, attempt: number][] }>;
  /** Functions (registry ids) with a warm instance. */
  warm: string[];
  /** Synchronous calls running now, of each function (registry id): what shares are cut from. */
  calls: Record<string, number>;
}

/** What the owner of a partition announces on announce.ledger.<partition> every second: publishers refuse by it (L23). */
export interface LedgerAnnouncement {
  partition: number;
  epoch: number;
  owner: string;
  /** 0..1 of the partition's bound; from 0.8 publishers refuse with `backlog_full`. */
  fill: number;
  /** Kept keys, 0..1; from 0.8 new keyed calls are refused. */
  keptKeys: number;
  /** Marks of counting sources, 0..1 of their bound; full, a source that has none yet is refused with `marks_full`. */
  marks?: number;
  /** Functions whose backlog is full: registry ids. */
  full: string[];
  unfinished: number;
  accepted: number;
  ended: number;
}

/** The ledger's answer to one envelope that asked (L11), on the publisher's inbox as JSON: { verdicts: Verdict[] }. */
export type Verdict =
  | { id: string; verdict: "new" }
  | { id: string; verdict: "known"; state: string }
  | { id: string; verdict: "conflict" }
  | { id: string; verdict: "refused"; mark: number; errorCode: ErrorCode };

/** Header of a pack's message that names the inbox for verdicts. */
export const VERDICT_HEADER = "Fnbus-Verdicts";
/** Reply to a synchronous call, JSON; the call itself is the envelope's metadata block as JSON. Bodies stand beside them. */
export type CallReply =
  | { ok: true; result: RunResult }
  /** Not run, by the executor's own choice: full (try another, once), or a platform error. */
  | {
      ok: false;
      code: ErrorCode;
      message: string;
      retryAfterSeconds?: number;
      details?: Record<string, unknown>;
      bodyReference?: BodyReference;
    };

/** Question on check.<pool>, JSON: is this code fit to be deployed? */
export interface CheckQuestion {
  runtime: Runtime;
  style: HandlerStyle;
  handler: string;
  initializer: string;
  environment: Record<string, string>;
  isolation: "strict" | "any";
  /** Object of the CODE bucket that holds the ZIP archive. */
  object: string;
}

/** `warnings`: what went wrong on loading that may be right at run time (an import that needs the network, say). */
export type CheckAnswer =
  | { ok: true; warnings: string[] }
  | { ok: false; code: ErrorCode; message: string; details?: Record<string, unknown> };

/** One line that a function or the platform wrote about it. */
export interface LogLine {
  /** ms since 1970. */
  at: number;
  function: string;
  registryId: string;
  /** Name of the instance: <executor>-<number>. */
  instance: string;
  invocation?: string;
  stream: "stdout" | "stderr" | "platform";
  text: string;
}
