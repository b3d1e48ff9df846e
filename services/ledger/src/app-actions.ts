import type { Bus } from "@fnbus/bus";
import { streams } from "@fnbus/contract";
import type { Cancels } from "./cancels.ts";
import type { Action, CoreEvent } from "./core/index.ts";
import { askHolds } from "./in/holds.ts";
import type { Ownership } from "./in/ownership.ts";
import type { Checkpoints } from "./out/checkpoints.ts";
import type { Outcomes } from "./out/outcomes.ts";
import type { Parked } from "./out/parked.ts";
import { sendVerdicts } from "./out/verdicts.ts";
import type { WorkSender } from "./out/work.ts";

/** The doors that the core's actions go through. */
export interface Doors {
  bus: Bus;
  partition: number;
  outcomes: Outcomes;
  work: WorkSender;
  parked: Parked;
  checkpoints: Checkpoints;
  ownership: Ownership;
  cancels: Cancels;
  apply(event: CoreEvent): void;
  /** Reads OUTCOMES to its present end; its last sequence then (L20). */
  readTail(): Promise<number>;
  alarm(action: Extract<Action, { do: "alarm" }>): void;
  failed(error: unknown): void;
}

/**
 * Does what the core decided. Never throws and never waits: what takes time ends in an event, and what the bus refuses at
 * once (it bounds what the broker has not read) is repeated by whoever misses it. The actions behind it are still due.
 */
export function perform(doors: Doors, action: Action): void {
  try {
    begin(doors, action);
  } catch (error) {
    doors.failed(error);
  }
}

function begin(doors: Doors, action: Action): void {
  const { bus, partition } = doors;
  switch (action.do) {
    case "append":
      doors.outcomes.append(action);
      break;
    case "read-tail":
      doors.readTail().then((last) => doors.apply({ type: "tail-read", last }), doors.failed);
      break;
    case "work":
      doors.work.send(action);
      break;
    case "ask-holds":
      void askHolds(bus, { executor: action.executor, partition, epoch: action.epoch }, doors.apply);
      break;
    case "publish-epoch":
      doors.ownership.publishEpoch(action.epoch);
      break;
    case "verdicts":
      sendVerdicts(bus, action.inbox, action.verdicts);
      break;
    case "answer-cancel":
      doors.cancels.answer(action.ticket, action.state);
      break;
    case "park":
      doors.parked.park(action);
      break;
    case "store-checkpoint":
      doors.checkpoints.store(action);
      break;
    case "sweep-checkpoints":
      doors.checkpoints.sweep(action.named);
      break;
    case "trim":
      bus
        .trim(action.stream === "outcomes" ? streams.outcomes(partition) : streams.invocations(partition), action.below)
        .catch(doors.failed);
      break;
    case "stop-owning":
      doors.ownership.resign();
      break;
    case "alarm":
      doors.alarm(action);
      break;
  }
}
