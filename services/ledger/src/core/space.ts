import type { CheckpointRecord } from "@fnbus/contract";
import { encodeCheckpoint } from "./checkpoint.ts";
import type { CoreEvent, StreamFill } from "./events.ts";
import { isOutcomesFull } from "./hand-out.ts";
import { placeOf } from "./lifecycle.ts";
import { noteGap } from "./owning.ts";
import { rowFlag } from "./rows.ts";
import type { CheckpointMark, State } from "./state.ts";

/** From this fill of INVOCATIONS on, old unfinished envelopes are parked where they are the smaller part (L22). */
const HALF = 0.5;
/** Trimming frees at least this share of a stream, so that a checkpoint is worth its bytes. */
const WORTH = 1 / 8;

/** The streams' sizes: trims, and makes room where it is short. */
export function onStreams(state: State, event: Extract<CoreEvent, { type: "streams" }>): void {
  state.fill = { invocations: event.invocations, outcomes: event.outcomes, parked: event.parked };
  state.owner.appendedBytes = 0;
  // Trimmed past what was read here: nothing will come that tells so, where the log is empty now.
  const gap = event.invocations.first > state.next.invocations || event.outcomes.first > state.lastOutcomes + 1;
  if (gap) noteGap(state, { ...state.next });
  if (state.owner.phase !== "owning") return;
  trim(state);
  if (isOutcomesFull(state)) state.actions.push({ do: "alarm", what: "outcomes-full", details: { ...event.outcomes } });
  if (state.kept.count >= state.limits.keptIds || state.recent.count >= state.limits.recentIds) {
    const details = { keyed: state.kept.count, recent: state.recent.count };
    state.actions.push({ do: "alarm", what: "ids-full", details });
  }
  if (state.marks.count >= state.limits.marks) {
    state.actions.push({ do: "alarm", what: "marks-full", details: { marks: state.marks.count } });
  }
  park(state, event.invocations);
}

/** Stores a checkpoint where one is due: after its time, after many records, or where trimming waits for it (L7). */
export function checkpointIfDue(state: State): void {
  const { owner, checkpoint, limits, now } = state;
  if (owner.phase !== "owning" || owner.storing) return;
  if (owner.checkpointAt === 0) owner.checkpointAt = now.mono;
  const since = now.mono - owner.checkpointAt;
  const isNew =
    !checkpoint || state.next.invocations > checkpoint.invocations || state.next.outcomes > checkpoint.record + 1;
  const due = since >= limits.checkpointMs || owner.recordsSince >= limits.checkpointRecords;
  if (!isNew || !(due || (since >= limits.repeatMs && trimmingWaits(state)))) return;
  owner.checkpointAt = now.mono;
  owner.recordsSince = 0;
  state.marks.forget(state.stamp);
  const { object, parts, named } = encodeCheckpoint(state);
  owner.storing = { object, parts: named, invocations: state.next.invocations, outcomes: state.next.outcomes };
  state.actions.push({ do: "store-checkpoint", object, parts });
}

/** Whether a newer checkpoint would let a good part of a stream be trimmed. */
function trimmingWaits(state: State): boolean {
  const { fill, checkpoint, limits } = state;
  if (!fill) return false;
  const worth = ({ maxBytes }: StreamFill) =>
    maxBytes > 0 ? Math.min(limits.checkpointBytes, maxBytes * WORTH) : limits.checkpointBytes;
  const invocations =
    state.live.floor() > (checkpoint?.invocations ?? 0) &&
    fill.invocations.bytes - state.unfinishedBytes >= worth(fill.invocations);
  const outcomes = readersMark(state) > (checkpoint?.outcomes ?? 0) && fill.outcomes.bytes >= worth(fill.outcomes);
  return invocations || outcomes;
}

export function onCheckpointStored(state: State, object: string): void {
  const { owner } = state;
  if (owner.storing?.object !== object) return;
  const { invocations, outcomes } = owner.storing;
  owner.pending.push({ draft: { type: "checkpoint", object, invocations } });
  if (state.without.has("L7")) trimBehind(state, { object, invocations, outcomes, record: outcomes });
}

/** A checkpoint's reference is durable: what it covers may be trimmed (L7). Only its writer knows what that is of OUTCOMES. */
export function noteCheckpoint(state: State, record: CheckpointRecord, sequence: number): void {
  const { owner } = state;
  const mine = owner.storing?.object === record.object ? owner.storing : undefined;
  state.checkpoint = {
    object: record.object,
    invocations: record.invocations,
    outcomes: mine?.outcomes ?? 0,
    record: sequence,
  };
  state.marks.forget(state.stamp);
  if (!mine) return;
  const named = new Set(mine.parts);
  state.kept.stored(`${state.partition}/`, named);
  state.recent.stored(`${state.partition}/`, named);
  owner.storing = undefined;
  state.actions.push({ do: "sweep-checkpoints", named: mine.parts });
  trim(state);
}

function trim(state: State): void {
  if (state.checkpoint) trimBehind(state, state.checkpoint);
}

function trimBehind(state: State, checkpoint: CheckpointMark): void {
  const { owner } = state;
  const floor = state.without.has("L22") ? state.next.invocations : state.live.floor();
  const invocations = Math.min(floor, checkpoint.invocations);
  if (invocations > Math.max(owner.trimmed.invocations, state.fill?.invocations.first ?? 0)) {
    owner.trimmed.invocations = invocations;
    state.actions.push({ do: "trim", stream: "invocations", below: invocations });
  }
  // Never the record that names the checkpoint, and so never the last message of the fenced subject (L20).
  const outcomes = Math.min(readersMark(state), checkpoint.outcomes, checkpoint.record);
  if (outcomes > Math.max(owner.trimmed.outcomes, state.fill?.outcomes.first ?? 0)) {
    owner.trimmed.outcomes = outcomes;
    state.actions.push({ do: "trim", stream: "outcomes", below: outcomes });
  }
}

/** The least that callbacks and projection still need of OUTCOMES (L22, L26). Nobody has announced: all of it. */
function readersMark({ callbacksMark, firstCallback, projectionMark, without }: State): number {
  const callbacks = callbacksMark ?? firstCallback ?? Number.POSITIVE_INFINITY;
  return Math.min(projectionMark ?? 0, without.has("L26") ? Number.POSITIVE_INFINITY : callbacks);
}

/** Copies the oldest unfinished envelopes to PARKED where they alone keep INVOCATIONS from being trimmed (L22). */
function park(state: State, invocations: StreamFill): void {
  const { owner, rows, live } = state;
  const stuck = Math.min(live.floor(), state.checkpoint?.invocations ?? 0) <= invocations.first;
  const short = invocations.bytes >= HALF * invocations.maxBytes && state.unfinishedBytes < HALF * invocations.bytes;
  if (owner.parking || !short || !stuck || live.floor() >= state.next.invocations) return;
  const reach = live.reach(state.limits.parkEntries);
  const entries: { id: string; place: ReturnType<typeof placeOf>; bytes: number }[] = [];
  for (const row of rows.all()) {
    if (rows.sequences[row]! > reach || rows.has(row, rowFlag.parked)) continue;
    entries.push({ id: rows.id(row), place: placeOf(state, row), bytes: rows.bytes[row]! });
  }
  if (entries.length === 0) return;
  owner.parking = true;
  state.actions.push({ do: "park", entries });
}

/** The copies are durable. That they stand for the envelopes now is a record (L5). */
export function onParked(state: State, event: Extract<CoreEvent, { type: "parked" }>): void {
  const entries = event.places
    .filter(({ id }) => state.rows.find(id) >= 0)
    .map(({ id, sequence, index }) => ({ id, place: { stream: "parked" as const, sequence, index } }));
  if (entries.length === 0) state.owner.parking = false;
  else if (state.owner.parking) state.owner.pending.push({ draft: { type: "parked", entries } });
}

export function onParkFailed(state: State): void {
  state.owner.parking = false;
  state.actions.push({ do: "alarm", what: "parked-full", details: { ...state.fill?.parked } });
}

/** The next one is tried when it is due. */
export function onCheckpointFailed(state: State, { object }: { object: string }): void {
  if (state.owner.storing?.object === object) state.owner.storing = undefined;
}
