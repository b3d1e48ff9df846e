import type { ErrorCode, Trigger, TriggerReport } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";

/** What a running source tells of itself; what the trigger's report shows is made of it. */
export interface SourceStatus {
  running(): void;
  /** Not running yet, or again: connecting, waiting for a function. */
  pending(): void;
  /** It does not run, for this reason; whoever says so goes on trying by itself where that can help. */
  failed(code: ErrorCode, message: string): void;
  /** Something went wrong, and the source runs on. */
  trouble(code: ErrorCode, message: string): void;
  /** Counts; one where nothing is said. */
  received(events?: number): void;
  published(invocations?: number): void;
  givenUp(events?: number): void;
}

/** A trigger that is being listened for. Opening never throws and waits for nothing: it tells its status. */
export interface OpenSource {
  /** Takes a changed definition without a break. false, or absent: it is stopped and opened anew. */
  change?(trigger: Trigger): boolean;
  /** What its type has to say in the report: subscriptions, partitions and lag, next ticks. */
  details?(): TriggerReport["details"];
  /** Takes no more in, finishes what is in flight, and leaves unacknowledged what it could not finish. */
  stop(): Promise<void>;
}

/** How a service runs its types of triggers. */
export interface SourceKind {
  open(trigger: Trigger, status: SourceStatus): OpenSource;
  /**
   * The calls that an event would make: of `event` as the source would send it, or of a sample where it is undefined.
   * Throws `event_malformed`, `event_not_wanted`, `function_not_found`, `trigger_not_testable`.
   */
  sample(trigger: Trigger, event: unknown): EventCall[];
}
