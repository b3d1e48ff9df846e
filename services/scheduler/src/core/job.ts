import { defaultTicking, type Overlap, type RegisteredFunction, type TriggerOf } from "@fnbus/contract";
import { type EventCall, toSource } from "@fnbus/publisher";
import { parseSchedule, type Schedule, type SourceStatus } from "@fnbus/sources";
import { type CatchingUp, type Skipped, UNMARKED_MS } from "./due.ts";
import { NOWHERE, type Placed } from "./due-heap.ts";

export type TickingTrigger = TriggerOf<"timer"> | TriggerOf<"cron">;
export type ToCall = (trigger: TickingTrigger, to: RegisteredFunction, tick: number, schedule: Schedule) => EventCall;

/** One schedule of one function. */
export interface Job extends Placed {
  trigger: TickingTrigger;
  /** Registry id: a namesake made later is another function. */
  functionId: string;
  schedule: Schedule;
  /** Names what the ledger's mark counts (L10). */
  counts: string;
  status: SourceStatus;
  toCall: ToCall;
  /** Ticks up to here are done: published by some replica, or left out. The ledger's mark is where it comes from. */
  after: number;
  failures: number;
  /** The ledger says that our clock is ahead: the oldest tick is tried until it is taken, one by one. */
  ahead: boolean;
  /** Left out, to be recorded with the next tick that is ours. */
  skipped?: Skipped | undefined;
  /** What is being done for it: to learn its mark, or to publish. */
  work?: Promise<void> | undefined;
  stopped: boolean;
}

export interface JobSettings {
  trigger: TickingTrigger;
  to: RegisteredFunction;
  text: string;
  status: SourceStatus;
  toCall: ToCall;
}

const syntaxOf = (trigger: TickingTrigger) =>
  (trigger.type === "timer" ? trigger.config.syntax : undefined) ?? "standard";

/**
 * What is counted: the schedule as it is written, with its zone. So a changed schedule is not held to the ticks of the one
 * before, and the same one again goes on where it was.
 */
export const toCounts = (trigger: TickingTrigger, text: string): string => {
  const zone = trigger.config.timezone ?? defaultTicking.timezone;
  return ["schedule", syntaxOf(trigger), zone, ...text.trim().split(/\s+/)].join(" ");
};

/** Throws FnbusError `schedule_invalid`, `schedule_never`, `timezone_unknown`. */
export function createJob({ trigger, to, text, status, toCall }: JobSettings): Job {
  const { timezone } = trigger.config;
  return {
    place: NOWHERE,
    trigger,
    functionId: to.definition.id,
    schedule: parseSchedule(text, { syntax: syntaxOf(trigger), timezone }),
    counts: toCounts(trigger, text),
    status,
    toCall,
    after: Number.POSITIVE_INFINITY,
    failures: 0,
    ahead: false,
    stopped: false,
  };
}

export const toCatchingUp = ({ trigger: { config } }: Job): CatchingUp => ({
  catchUp: config.catchUp ?? defaultTicking.catchUp,
  catchUpWindowMs: config.catchUpWindowMs ?? defaultTicking.catchUpWindowMs,
});

export const toOverlap = ({ trigger: { config } }: Job): Overlap => config.overlap ?? defaultTicking.overlap;

/**
 * Where a job goes on: from the ledger's mark. Where that has none, from when the schedule was told, so that none fires
 * for times before it was there.
 */
export function toStart(job: Job, to: RegisteredFunction, mark: number | null, now: number): number {
  if (mark !== null) return mark;
  const { definition } = to;
  const told = job.trigger.type === "cron" ? definition.updatedAt : definition.createdAt;
  return Math.max(job.trigger.updatedAt, told, now - UNMARKED_MS);
}

/** The call of one tick, with its position. */
export function toTickCall(job: Job, to: RegisteredFunction, tick: number): EventCall {
  return {
    ...job.toCall(job.trigger, to, tick, job.schedule),
    position: { counts: job.counts, first: tick, last: tick },
    overlap: toOverlap(job),
  };
}

export const toJobSource = (job: Job, to: RegisteredFunction): string => toSource(job.trigger, to, job.counts);
