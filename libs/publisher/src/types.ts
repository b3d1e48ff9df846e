import type { RegisteredFunction, Trigger, Verdict } from "@fnbus/contract";
import type { EventCall } from "./event-call.ts";

/** What a source gave up on, for good: a record that the look-up lists (I6). */
export interface GivenUp {
  trigger: Trigger;
  /** What it was: "kafka record orders/3@1207". Never its content. */
  what: string;
  reason: string;
  details?: Record<string, unknown>;
}

/**
 * How sources publish. A promise that resolves means durable (I1); only then may the source be acknowledged (I6). What is
 * thrown is a FnbusError: `function_backlog_full`, `backlog_full`, `kept_keys_full`, `broker_unavailable`, `storage_full`,
 * `overloaded`, `store_unavailable`: not stored, wait and send the same again; `accept_unknown`, `verdict_missing`: it may be
 * stored, send the same again: a copy is dropped where the call has a name or a position, and is a second one where not.
 */
export interface Publisher {
  /** A call without a position. */
  send(call: EventCall): Promise<{ id: string }>;
  /** A call with a position of its own, judged by the ledger: a tick. `known`: another replica's came first. */
  sendJudged(call: EventCall): Promise<Verdict>;
  /**
   * Calls of one function in their order, with positions: pack after pack, each after the one before it was judged. Ends
   * after the first pack in which one was refused: cut anew from its mark. Answers verdicts of those that were published.
   */
  sendInOrder(calls: readonly EventCall[]): Promise<Verdict[]>;
  /** The ledger's marks of counting sources (`toSource`), null where it has none. Throws `broker_unavailable`. */
  marks(partition: number, sources: readonly string[]): Promise<(number | null)[]>;
  /** Throws where the function's or the partition's backlog is full: the source is to pause. */
  check(to: RegisteredFunction, kept: boolean): void;
  /** Resolves when there is room again, or `signal` ends the wait (then it throws the signal's reason). */
  whenRoom(to: RegisteredFunction, kept: boolean, signal: AbortSignal): Promise<void>;
  /** Resolves when the record of it is durable; tries until then. */
  giveUp(given: GivenUp): Promise<void>;
  close(): Promise<void>;
}
