import type { AttemptRecord, CancelRecord, EndState, ErrorCode, LedgerRecord, RunResult } from "@fnbus/contract";
import type { RecordDraft } from "./actions.ts";
import { liveStateOf, lock, placeOf } from "./lifecycle.ts";
import { rowFlag, rowState } from "./rows.ts";
import type { State } from "./state.ts";
import { tell } from "./work-packs.ts";

/** Decisions of the owner: put in line to be appended, and taking effect when they are durable (L20). */

/** Room for decisions that can wait: timers and losses. Results are bounded apart, by what executors hold (I11). */
export const hasRoom = (state: State): boolean => state.owner.pending.length < state.limits.pendingRecords;

/** Before its epoch is durable a new owner decides nothing, and learns from the logs like everybody else (L21). */
export const decides = ({ owner: { phase } }: State): boolean => phase === "asking" || phase === "owning";

export interface End {
  state: EndState;
  errorCode?: ErrorCode;
  result?: RunResult;
  body?: Uint8Array;
  /** Whose result it is. */
  from?: string;
  /** An attempt ends with it, lost or not; without one it ends unstarted. */
  attempt?: "run" | "lost";
}

/** Decides the end of an invocation that has none decided yet (I3). */
export function decideEnd(state: State, row: number, end: End): void {
  const { rows } = state;
  lock(state, row);
  const draft: RecordDraft = {
    type: "outcome",
    id: rows.id(row),
    registryId: state.queues.ofRow(row).registryId,
    place: placeOf(state, row),
    state: end.state,
    attempts: rows.failed[row]! + rows.lost[row]! + (end.attempt ? 1 : 0),
    lost: rows.lost[row]! + (end.attempt === "lost" ? 1 : 0),
    endedAt: endTime(state),
    ...(end.errorCode ? { errorCode: end.errorCode } : {}),
    ...(end.result ? { result: end.result } : {}),
    ...(end.body && end.body.length > 0 ? { body: end.body } : {}),
  };
  state.owner.pending.push(end.from === undefined ? { draft } : { draft, from: end.from });
}

/** Decides that the present attempt has ended and another follows. */
export function decideAttempt(
  state: State,
  row: number,
  ended: Omit<AttemptRecord, "type" | "id" | "attempt">,
  from?: string,
): void {
  lock(state, row);
  const draft: RecordDraft = { type: "attempt", id: state.rows.id(row), attempt: state.rows.attempt(row), ...ended };
  state.owner.pending.push(from === undefined ? { draft } : { draft, from });
}

/** Its executor was lost under it (L17): started again whatever the retry policy says, but not for ever. */
export function decideLost(state: State, row: number, executor: string, handedAt: number): void {
  const { rows, limits } = state;
  if (rows.has(row, rowFlag.deciding)) return;
  if (rows.has(row, rowFlag.cancelled)) {
    decideEnd(state, row, { state: "cancelled", errorCode: "cancelled", attempt: "lost" });
    return;
  }
  if (rows.lost[row]! + 1 >= limits.executorsLost) {
    decideEnd(state, row, { state: "dead-lettered", errorCode: "executor_lost", attempt: "lost" });
    return;
  }
  decideAttempt(state, row, {
    how: "lost",
    executor,
    errorCode: "executor_lost",
    message: `executor ${executor} was lost`,
    startedAt: handedAt,
    durationMs: Math.max(0, state.now.broker - handedAt),
    nextAt: state.now.broker,
  });
}

/** Times of ends never run before time stamps already read, so that a window is never over at its begin (L6). */
const endTime = (state: State): number => Math.max(state.now.broker, state.stamp);

/** A record of this row is durable: tells the executors concerned, and who asked for a cancel (L16, L18). */
export function settleDecision(state: State, row: number, record: LedgerRecord | RecordDraft, from?: string): void {
  const { owner } = state;
  if (!decides(state)) return;
  const id = state.rows.id(row);
  if (record.type === "cancel") {
    const runsOn = owner.running.get(row)?.executor;
    if (runsOn) tell(state, runsOn, { type: "cancel", id });
    answerCancels(state, id, record, row);
    if (!runsOn) endIfCancelled(state, row);
    return;
  }
  release(state, row, from);
  if (from !== undefined) tell(state, from, { type: "durable", ids: [id] });
  if (record.type === "outcome") answerCancels(state, id, record, row);
}

/** The row runs nowhere any more. Another executor than the result's that still runs it is told to stop. */
function release(state: State, row: number, from: string | undefined): void {
  const assignment = state.owner.running.get(row);
  if (!assignment) return;
  state.owner.running.delete(row);
  state.owner.executors.get(assignment.executor)?.held.delete(row);
  if (assignment.executor !== from) tell(state, assignment.executor, { type: "cancel", id: state.rows.id(row) });
}

function answerCancels(state: State, id: string, record: RecordDraft | LedgerRecord | CancelRecord, row: number): void {
  const tickets = state.owner.cancels.get(id);
  if (!tickets) return;
  state.owner.cancels.delete(id);
  const now = record.type === "outcome" ? record.state : liveStateOf(state, row);
  for (const ticket of tickets) state.actions.push({ do: "answer-cancel", ticket, state: now });
}

/** What a cancel was asked for is never started again (L18). */
export function endIfCancelled(state: State, row: number): boolean {
  const { rows } = state;
  const { cancels } = state.owner;
  const asked = rows.has(row, rowFlag.cancelled) || (cancels.size > 0 && cancels.has(rows.id(row)));
  if (!asked || rows.has(row, rowFlag.deciding) || rows.state[row] === rowState.running) return false;
  decideEnd(state, row, { state: "cancelled", errorCode: "cancelled" });
  return true;
}

/** A cancel is durable before it is answered: of what is queued as its outcome, of what runs as a request (L18). */
export function askCancel(state: State, ticket: number, id: string): void {
  const { owner, rows } = state;
  // While executors are asked what they hold, nobody knows whether it runs: the asker repeats (L21).
  if (owner.phase !== "owning") return;
  const answer = (now: Extract<(typeof state.actions)[number], { do: "answer-cancel" }>["state"]) =>
    state.actions.push({ do: "answer-cancel", ticket, state: now });
  const row = rows.find(id);
  if (row < 0) {
    answer((state.kept.find(id, state.stamp) ?? state.recent.find(id, state.stamp))?.state);
    return;
  }
  if (rows.has(row, rowFlag.cancelled) && rows.state[row] === rowState.running) {
    answer("running");
    return;
  }
  if (state.without.has("L18")) answer(rows.state[row] === rowState.running ? "running" : "cancelled");
  const tickets = owner.cancels.get(id);
  owner.cancels.set(id, [...(tickets ?? []), ticket]);
  // One decision is on its way already: its end answers, or the cancel that follows a lost or failed attempt.
  if (tickets || rows.has(row, rowFlag.deciding)) return;
  if (rows.state[row] === rowState.running) owner.pending.push({ draft: { type: "cancel", id, at: state.now.broker } });
  else decideEnd(state, row, { state: "cancelled", errorCode: "cancelled" });
}

/** Its bytes are gone or damaged: it can never run, and that is visible (I3). */
export function onUnreadable(state: State, { id, code }: { id: string; code: ErrorCode }): void {
  const row = state.rows.find(id);
  if (row < 0 || !decides(state) || state.rows.has(row, rowFlag.deciding)) return;
  state.actions.push({ do: "alarm", what: "envelope-unreadable", details: { id, code } });
  decideEnd(state, row, { state: "failed", errorCode: code });
}
