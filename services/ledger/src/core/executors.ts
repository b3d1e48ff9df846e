import type { Announcement } from "@fnbus/contract";
import { decideLost, decides } from "./decisions.ts";
import { leave, toRunning } from "./lifecycle.ts";
import type { ExecutorState } from "./owner-state.ts";
import { rowFlag } from "./rows.ts";
import type { State } from "./state.ts";
import { confirmPacks, tell } from "./work-packs.ts";

/** A silent executor is remembered this many leases, in case it was only cut off. */
const REMEMBERED_LEASES = 12;

/** Reads what an executor says of itself (L14), and what follows for the rows it was handed (L15). */
export function onAnnouncement(state: State, announcement: Announcement): void {
  const { owner, now } = state;
  const executor = owner.executors.get(announcement.executor) ?? join(state, announcement);
  executor.announcement = announcement;
  executor.heardAt = now.mono;
  executor.warm = new Set(announcement.warm);
  executor.full = false;
  if (!decides(state)) return;
  executor.gone = false;
  const mine = announcement.partitions[state.partition];
  executor.joined = mine?.epoch === owner.epoch;
  if (!executor.joined) {
    askHolds(state, executor);
    return;
  }
  confirmPacks(executor, mine!.applied);
  compareHolds(state, executor, mine!.applied, mine!.holds);
}

function join(state: State, announcement: Announcement): ExecutorState {
  const executor: ExecutorState = {
    name: announcement.executor,
    announcement,
    heardAt: state.now.mono,
    warm: new Set(),
    joined: false,
    askedAt: Number.NEGATIVE_INFINITY,
    gone: false,
    full: false,
    stale: 0,
    held: new Map(),
    number: 0,
    unanswered: [],
    outbox: [],
  };
  state.owner.executors.set(announcement.executor, executor);
  return executor;
}

/** Tells the executor this owner's epoch, and asks what it holds (L21); at most once in a while. */
export function askHolds(state: State, executor: ExecutorState): void {
  if (state.now.mono - executor.askedAt < state.limits.repeatMs) return;
  executor.askedAt = state.now.mono;
  state.actions.push({ do: "ask-holds", executor: executor.name, epoch: state.owner.epoch });
}

function compareHolds(state: State, executor: ExecutorState, applied: number, holds: [string, number][]): void {
  const { owner, rows } = state;
  const present = new Set<number>();
  executor.stale = 0;
  for (const [id, attempt] of holds) {
    const row = rows.find(id);
    if (row < 0) {
      // Ended. Unless a pack that says so is on its way: it may drop it.
      if (executor.unanswered.length === 0) tell(state, executor.name, { type: "forget", ids: [id] });
      continue;
    }
    present.add(row);
    const assignment = owner.running.get(row);
    if (assignment?.executor === executor.name || rows.has(row, rowFlag.deciding)) continue;
    const isCurrent = !assignment && attempt === rows.attempt(row);
    if (isCurrent && (owner.phase === "asking" || hasPlace(state, row))) {
      adopt(state, executor, row);
      continue;
    }
    // A run that counts as lost, or that another executor has: it may not go on beside the new one.
    executor.stale++;
    if (isCurrent) decideLost(state, row, executor.name, state.now.broker);
    if (executor.unanswered.length === 0) tell(state, executor.name, { type: "cancel", id });
  }
  for (const [row, pack] of executor.held) {
    if (pack > applied || present.has(row)) continue;
    // Confirmed, but absent: it does not run there any more (L15).
    unassign(state, executor, row);
  }
}

/** An executor that was silent through the take-over comes back: its run goes on where the limit has a place (L13). */
function hasPlace({ queues }: State, row: number): boolean {
  const queue = queues.ofRow(row);
  return queue.rules !== undefined && queue.running < queue.rules.limit;
}

/** It runs there already, handed out by the owner before (L21), who may not have come to say that it is cancelled (L18). */
function adopt(state: State, executor: ExecutorState, row: number): void {
  toRunning(state, row);
  state.owner.running.set(row, { executor: executor.name, at: state.now.broker });
  executor.held.set(row, 0);
  if (state.rows.has(row, rowFlag.cancelled)) tell(state, executor.name, { type: "cancel", id: state.rows.id(row) });
}

/** The run is lost. Its row stays marked as running until that is durable, so that it is not started before (L17). */
function unassign(state: State, executor: ExecutorState, row: number): void {
  const handedAt = state.owner.running.get(row)?.at ?? state.now.broker;
  executor.held.delete(row);
  decideLost(state, row, executor.name, handedAt);
}

/** Silent for a lease: gone, its runs are lost attempts (L17). Forgotten when it stays away. */
export function loseSilent(state: State): void {
  const { owner, now, limits } = state;
  if (!owner.connected) return;
  for (const executor of owner.executors.values()) {
    const silent = now.mono - executor.heardAt;
    if (silent < limits.executorLeaseMs) continue;
    if (!executor.gone && executor.held.size > 0) {
      state.actions.push({ do: "alarm", what: "executor-lost", details: { executor: executor.name } });
    }
    executor.gone = true;
    executor.outbox = [];
    for (const row of [...executor.held.keys()]) unassign(state, executor, row);
    if (silent > REMEMBERED_LEASES * limits.executorLeaseMs) owner.executors.delete(executor.name);
  }
}

/** A stand-by forgets those that stay away too, unless it may have to count what they held as lost (L17, I11). */
export function forgetSilent({ owner, now, limits, rows, partition }: State): void {
  for (const { name, heardAt, announcement } of owner.executors.values()) {
    if (now.mono - heardAt <= REMEMBERED_LEASES * limits.executorLeaseMs) continue;
    const holds = announcement.partitions[partition]?.holds ?? [];
    if (holds.every(([id]) => rows.find(id) < 0)) owner.executors.delete(name);
  }
}

/** After a time in which nothing could be heard, every executor has a whole lease from now (L17). */
export function restartLeases(state: State): void {
  const { owner, now } = state;
  owner.hearingSince = now.mono;
  if (state.without.has("L17")) return;
  for (const executor of owner.executors.values()) if (!executor.gone) executor.heardAt = now.mono;
}

/** A row that was handed back without being started: no attempt (L15). */
export function handBack(state: State, executor: ExecutorState, row: number): void {
  executor.held.delete(row);
  state.owner.running.delete(row);
  leave(state, row);
}
