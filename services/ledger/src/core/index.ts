import type { Action } from "./actions.ts";
import { onAppended, onAppendFailed, onTailRead, pumpAppend } from "./appending.ts";
import { checkpointSegments, restoreCheckpoint } from "./checkpoint.ts";
import { askCancel, onUnreadable } from "./decisions.ts";
import type { CoreEvent } from "./events.ts";
import { loseSilent, onAnnouncement } from "./executors.ts";
import { handOut } from "./hand-out.ts";
import { readInvocations } from "./judge.ts";
import { readOutcomes } from "./outcomes-log.ts";
import { skipOverlapping } from "./overlap.ts";
import { advancePhase, follow, gainLease, onConnection, onTick } from "./owning.ts";
import { onResults } from "./results.ts";
import { checkpointIfDue, onCheckpointFailed, onCheckpointStored, onParked, onParkFailed, onStreams } from "./space.ts";
import { createState, type State } from "./state.ts";
import type { Core, CoreOptions } from "./types.ts";
import { createView } from "./view.ts";
import { onIndex, wake } from "./wake.ts";
import { flushWork, repeatUnanswered } from "./work-packs.ts";

export type * from "./actions.ts";
export type * from "./events.ts";
export type * from "./types.ts";
export { checkpointSegments };

/** The ledger of one partition, from a checkpoint or from the start of the logs. Follows until it gains the lease. */
export function createCore(options: CoreOptions): Core {
  const state = createState(options);
  const { checkpoint } = options;
  if (checkpoint && !restoreCheckpoint(state, checkpoint)) {
    const details = { partition: options.partition, logs: options.logs };
    state.actions.push({ do: "alarm", what: "stream-recreated", details });
  }
  return {
    view: createView(state),
    apply(event, now): Action[] {
      state.now = now;
      (handlers[event.type] as (state: State, event: CoreEvent) => void)(state, event);
      if (state.owner.phase !== "following") act(state, event.type === "tick");
      const { actions } = state;
      state.actions = [];
      return actions;
    },
  };
}

type Handlers = { [T in CoreEvent["type"]]: (state: State, event: Extract<CoreEvent, { type: T }>) => void };

const handlers: Handlers = {
  invocations: readInvocations,
  outcomes: readOutcomes,
  appended: onAppended,
  "append-failed": onAppendFailed,
  "tail-read": onTailRead,
  announcement: (state, event) => onAnnouncement(state, event.announcement),
  results: onResults,
  cancel: (state, event) => askCancel(state, event.ticket, event.id),
  tick: onTick,
  connection: (state, event) => onConnection(state, event.connected),
  "lease-gained": gainLease,
  "lease-lost": follow,
  function: (state, event) => {
    state.queues.setRules(event.registryId, event.rules);
    onIndex(state, event.indexRevision);
  },
  index: (state, event) => onIndex(state, event.revision),
  streams: onStreams,
  "callbacks-mark": (state, event) => {
    state.callbacksMark = event.from;
  },
  "projection-mark": (state, event) => {
    state.projectionMark = event.from;
  },
  parked: onParked,
  "park-failed": onParkFailed,
  "checkpoint-stored": (state, event) => onCheckpointStored(state, event.object),
  "checkpoint-failed": onCheckpointFailed,
  unreadable: onUnreadable,
};

/** What follows from any event on the owner: time's decisions, hand-outs, then what has gathered is sent. */
function act(state: State, isTick: boolean): void {
  advancePhase(state);
  if (state.owner.phase === "owning") {
    if (isTick) loseSilent(state);
    wake(state);
    skipOverlapping(state);
    handOut(state);
    checkpointIfDue(state);
  }
  if (isTick) repeatUnanswered(state);
  pumpAppend(state);
  flushWork(state);
}
