import { decideLost, endIfCancelled } from "./decisions.ts";
import type { CoreEvent } from "./events.ts";
import { askHolds, forgetSilent, restartLeases } from "./executors.ts";
import { leave, toQueue, toWaiting } from "./lifecycle.ts";
import { rowFlag, rowState } from "./rows.ts";
import type { State } from "./state.ts";

/** Take-over step by step (L19, L21): read both logs, append the epoch, ask the executors, hand out. */

export function gainLease(state: State, event: Extract<CoreEvent, { type: "lease-gained" }>): void {
  const { owner } = state;
  if (state.hasGap) {
    state.actions.push({ do: "stop-owning", reason: "the state has a gap" });
    return;
  }
  owner.phase = "reading";
  owner.name = event.owner;
  owner.epoch = 0;
  owner.readTo = { invocations: event.lastInvocations, outcomes: event.lastOutcomes };
  owner.gainedAt = state.now.mono;
}

/** Goes on to the next phase where the present one is over. */
export function advancePhase(state: State): void {
  const { owner } = state;
  if (owner.phase === "reading" && hasReadBoth(state)) {
    // Above every epoch that was ever appended, and above what an owner took who lost the race to append (L19).
    owner.epoch = Math.max(state.lastEpoch + 1, Math.floor(state.now.broker));
    owner.phase = "claiming";
    // Whoever owned before handed out what was stored before our lease: with nothing unfinished, nothing runs (L21).
    owner.nothingRuns = state.rows.count === 0;
    owner.pending.push({ draft: { type: "epoch", owner: owner.name } });
  }
  if (owner.phase === "claiming" && state.lastEpoch === owner.epoch) {
    owner.phase = "asking";
    state.actions.push({ do: "publish-epoch", epoch: owner.epoch });
    for (const executor of owner.executors.values()) {
      Object.assign(executor, { joined: false, number: 0, unanswered: [], outbox: [], stale: 0, full: false });
      askHolds(state, executor);
    }
  }
  if (owner.phase === "asking" && (owner.nothingRuns || knowsWhatRuns(state) || state.without.has("L21"))) {
    owner.phase = "owning";
    for (const { joined, name } of owner.executors.values()) if (!joined && !owner.nothingRuns) recordLost(state, name);
    for (const row of state.rows.all()) endIfCancelled(state, row);
  }
}

const hasReadBoth = ({ owner, next, held }: State): boolean =>
  next.invocations > owner.readTo.invocations && next.outcomes > owner.readTo.outcomes && held.length === 0;

/**
 * Whether every executor that may run something has said what, or its lease is over. Who was cold or cut off within
 * the last executor lease may have missed an executor: it waits a whole lease.
 */
function knowsWhatRuns({ owner, now, limits }: State): boolean {
  if (!owner.connected) return false;
  const wasDeaf = owner.gainedAt - owner.hearingSince < limits.executorLeaseMs;
  const heardSince = Math.max(owner.gainedAt, owner.hearingSince);
  if (wasDeaf && now.mono - heardSince < limits.executorLeaseMs) return false;
  for (const executor of owner.executors.values()) {
    if (!executor.joined && now.mono - executor.heardAt < limits.executorLeaseMs) return false;
  }
  return true;
}

/** What a silent executor held when it was last heard was running: lost attempts (L17). */
function recordLost(state: State, name: string): void {
  const executor = state.owner.executors.get(name)!;
  executor.gone = true;
  for (const [id, attempt] of executor.announcement.partitions[state.partition]?.holds ?? []) {
    const row = state.rows.find(id);
    if (row >= 0 && attempt === state.rows.attempt(row) && !state.owner.running.has(row)) {
      decideLost(state, row, name, state.now.broker);
    }
  }
}

/** Somebody else has the partition: nothing more is decided here (L20). What was in doubt, the log will tell. */
export function loseFence(state: State, reason: string): void {
  state.actions.push({ do: "stop-owning", reason });
  follow(state);
}

/** The state lacks what was trimmed before it was read: whatever it says is unfinished may have ended. */
export function noteGap(state: State, details: Record<string, unknown>): void {
  state.hasGap = true;
  state.actions.push({ do: "alarm", what: "log-gap", details });
  if (state.owner.phase !== "following") loseFence(state, "the state has a gap");
}

/** Back to a stand-by: decisions that are not durable are none. */
export function follow(state: State): void {
  const { owner, rows } = state;
  if (owner.phase === "following") return;
  owner.phase = "following";
  owner.pending = [];
  owner.inFlight = [];
  owner.append = "idle";
  owner.cancels.clear();
  owner.running.clear();
  owner.parking = false;
  owner.storing = undefined;
  state.ticks.forgetDecisions();
  for (const executor of owner.executors.values()) {
    executor.held.clear();
    Object.assign(executor, { joined: false, unanswered: [], outbox: [], number: 0 });
  }
  for (const row of rows.all()) {
    const wasDeciding = rows.has(row, rowFlag.deciding);
    const before = rows.state[row];
    if (!wasDeciding && before !== rowState.running) continue;
    leave(state, row);
    rows.set(row, rowFlag.deciding, false);
    if (before === rowState.waiting) toWaiting(state, row, rows.nextAt(row));
    else toQueue(state, row, true);
  }
}

/** A lease of an executor runs only while the owner hears (L17). */
export function onTick(state: State): void {
  const { owner, now, limits } = state;
  if (owner.hearingSince < 0) owner.hearingSince = now.mono;
  const deaf = owner.lastTick >= 0 && now.mono - owner.lastTick > limits.longTurnMs;
  owner.lastTick = now.mono;
  // Where nothing is read, ids are forgotten all the same, a window late: a pack that is stored but not read is not older.
  state.kept.forget(now.broker - limits.keptWindowMs);
  state.recent.forget(now.broker - limits.recentWindowMs);
  if (deaf) restartLeases(state);
  else if (owner.phase === "following") forgetSilent(state);
}

export function onConnection(state: State, connected: boolean): void {
  state.owner.connected = connected;
  if (connected) restartLeases(state);
}
