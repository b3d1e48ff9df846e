import { decideEnd, endIfCancelled, hasRoom } from "./decisions.ts";
import { isOutcomesFull } from "./hand-out.ts";
import { leave, toQueue, toWaiting } from "./lifecycle.ts";
import { NONE, rowFlag, rowState } from "./rows.ts";
import type { State } from "./state.ts";

/** What time brings: expiry, the next attempts, and the end of what no function answers for. The owner decides. */
export function wake(state: State): void {
  const { rows, timers, now } = state;
  for (let row = timers.first(); row !== NONE && hasRoom(state); row = timers.first()) {
    if (timers.at(row) > now.broker) break;
    // Expired work ends as expired, without a run (L18), once there is room for its record (L23).
    if (rows.deadlineAt(row) <= now.broker) {
      if (isOutcomesFull(state)) break;
      decideEnd(state, row, { state: "expired", errorCode: "expired" });
      continue;
    }
    rows.set(row, rowFlag.unresolved, false);
    if (endIfCancelled(state, row)) continue;
    leave(state, row);
    toQueue(state, row, rows.attempt(row) > 1);
  }
  endOrphans(state);
}

/** Envelopes of a function that is deleted, or never was, by an index that is new enough (L3). */
function endOrphans(state: State): void {
  for (const queue of state.queues.orphans) {
    while (queue.head !== NONE && hasRoom(state) && !isOutcomesFull(state)) {
      decideEnd(state, queue.head, { state: "failed", errorCode: "function_deleted" });
    }
    if (queue.head !== NONE) return;
    state.queues.orphans.delete(queue);
  }
}

/** The index has come further: what waited for it takes its turn. */
export function onIndex(state: State, revision: number): void {
  const { rows } = state;
  state.indexRevision = Math.max(state.indexRevision, revision);
  if (state.unresolved.length === 0) return;
  const waiting = state.unresolved;
  state.unresolved = [];
  for (const entry of waiting) {
    const row = rows.find(entry.id);
    if (row < 0 || !rows.has(row, rowFlag.unresolved)) continue;
    if (entry.revision > state.indexRevision) {
      state.unresolved.push(entry);
      continue;
    }
    rows.set(row, rowFlag.unresolved, false);
    if (rows.has(row, rowFlag.deciding) || rows.state[row] !== rowState.waiting) continue;
    leave(state, row);
    if (entry.delayMs > 0) toWaiting(state, row, rows.acceptedAt[row]! + entry.delayMs);
    else toQueue(state, row, false);
  }
}
