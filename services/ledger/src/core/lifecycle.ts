import { type EndState, type EnvelopePlace, type FrameHead, frameFlags, type LiveState, limits } from "@fnbus/contract";
import { NONE, rowFlag, rowState } from "./rows.ts";
import type { State } from "./state.ts";

/** A row's ways between its states. Counts of queues, timers and trimming are kept here and nowhere else. */

/** Takes an accepted envelope in (I8: it is unfinished from here on). */
export function accept(state: State, head: FrameHead, sequence: number, index: number, at: number): void {
  const { rows, queues } = state;
  const row = rows.add(head.id);
  const queue = queues.of(head.registryId);
  const kept = (head.flags & (frameFlags.keyed | frameFlags.named)) !== 0;
  rows.functions[row] = queue.index;
  rows.sequences[row] = sequence;
  rows.indexes[row] = index;
  rows.acceptedAt[row] = at;
  rows.ttl[row] = head.ttlMs || queue.rules?.maxAgeMs || limits.defaultMaxAgeMs;
  rows.bytes[row] = head.bytes;
  rows.flags[row] = (kept ? rowFlag.kept : 0) | (head.flags & frameFlags.callback ? rowFlag.callback : 0);
  if (kept) rows.setHash(row, head.bodyHash);
  if (head.flags & frameFlags.counting) count(state, row, head);
  state.totals.accepted++;
  state.unfinishedBytes += head.bytes;
  state.live.add(sequence);
  const unresolved = head.revision > state.indexRevision;
  if (unresolved) {
    rows.set(row, rowFlag.unresolved, true);
    state.unresolved.push({ id: head.id, revision: head.revision, delayMs: head.delayMs });
  }
  const delayMs = unresolved ? Math.max(head.delayMs, state.limits.indexWaitMs) : head.delayMs;
  if (delayMs > 0) toWaiting(state, row, at + delayMs);
  else toQueue(state, row, false);
}

/** The mark of its source is its last position (L10); a tick takes its place behind the others of its source (L13). */
function count({ rows, marks, ticks, stamp }: State, row: number, head: FrameHead): void {
  const source = marks.move(head.source, head.last, stamp);
  marks.begin(source);
  rows.sources[row] = source;
  if (head.flags & frameFlags.tick) ticks.add(row, source, head.overlap);
}

export function toQueue(state: State, row: number, front: boolean): void {
  const { rows, queues, ticks } = state;
  if (rows.sources[row] !== NONE && ticks.isBehind(row, rows.sources[row]!) && !state.without.has("L13")) {
    rows.state[row] = rowState.behind;
    queues.ofRow(row).waiting++;
  } else {
    rows.state[row] = rowState.queued;
    queues.push(row, front);
  }
  state.timers.set(row);
}

export function toWaiting(state: State, row: number, nextAt: number): void {
  const { rows } = state;
  rows.delay[row] = Math.max(0, nextAt - rows.acceptedAt[row]!);
  rows.state[row] = rowState.waiting;
  state.queues.ofRow(row).waiting++;
  state.timers.set(row);
}

export function toRunning(state: State, row: number): void {
  leave(state, row);
  state.rows.state[row] = rowState.running;
  state.queues.ofRow(row).running++;
}

/** Takes the row out of queue, timers or running counts; what follows puts it elsewhere, or ends it. */
export function leave(state: State, row: number): void {
  const { rows, queues, timers } = state;
  const queue = queues.ofRow(row);
  if (rows.state[row] === rowState.running) {
    queue.running--;
    queues.takeTurn(queue);
  } else if (!rows.has(row, rowFlag.deciding)) {
    if (rows.state[row] === rowState.queued) queues.unlink(row);
    else queue.waiting--;
    timers.remove(row);
  }
}

/** From now on nothing else is decided of this row: it is out of queue and timers until its decision is durable (L20). */
export function lock(state: State, row: number): void {
  if (state.rows.state[row] !== rowState.running) leave(state, row);
  state.rows.set(row, rowFlag.deciding, true);
}

/** The end (I3). The id stays known for its window (L12). */
export function finish(state: State, row: number, end: EndState, endedAt: number): void {
  const { rows } = state;
  leave(state, row);
  const kept = rows.has(row, rowFlag.kept);
  if (kept) state.kept.add(rows.ids, row * 4, rows.hashes, row * 4, endedAt, end);
  else state.recent.add(rows.ids, row * 4, undefined, 0, endedAt, end);
  state.totals.ended[end]++;
  if (!rows.has(row, rowFlag.parked)) {
    state.live.remove(rows.sequences[row]!);
    state.unfinishedBytes -= rows.bytes[row]!;
  }
  const source = rows.sources[row]!;
  rows.remove(row);
  if (source !== NONE) uncount(state, row, source);
}

/** One less of its source is unfinished: the tick behind it takes its turn (L13). */
function uncount(state: State, row: number, source: number): void {
  const { rows, marks, ticks } = state;
  marks.end(source);
  const next = ticks.remove(row, source);
  if (next === NONE || rows.state[next] !== rowState.behind || rows.has(next, rowFlag.deciding)) return;
  leave(state, next);
  toQueue(state, next, false);
}

/** From now on the envelope stands in PARKED; that stands over any copy in INVOCATIONS (L22). */
export function moveToParked(state: State, row: number, sequence: number, index: number): void {
  const { rows } = state;
  if (rows.has(row, rowFlag.parked)) return;
  state.live.remove(rows.sequences[row]!);
  state.unfinishedBytes -= rows.bytes[row]!;
  rows.set(row, rowFlag.parked, true);
  rows.sequences[row] = sequence;
  rows.indexes[row] = index;
}

export function placeOf(state: State, row: number): EnvelopePlace {
  const { rows } = state;
  const stream = rows.has(row, rowFlag.parked) ? "parked" : "invocations";
  return { stream, sequence: rows.sequences[row]!, index: rows.indexes[row]! };
}

const liveStates: Record<number, LiveState> = {
  [rowState.queued]: "queued",
  [rowState.running]: "running",
  [rowState.waiting]: "waiting",
  [rowState.behind]: "queued",
};
export const liveStateOf = (state: State, row: number): LiveState => liveStates[state.rows.state[row]!]!;
