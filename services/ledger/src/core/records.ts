import type { AttemptRecord, LedgerRecord, OutcomeRecord } from "@fnbus/contract";
import type { OutcomeDraft, RecordDraft } from "./actions.ts";
import { decides, endIfCancelled, settleDecision } from "./decisions.ts";
import { finish, leave, moveToParked, toWaiting } from "./lifecycle.ts";
import type { Decision } from "./owner-state.ts";
import { rowFlag } from "./rows.ts";
import { noteCheckpoint } from "./space.ts";
import type { State } from "./state.ts";

/** Applies one pack, read or our own; decisions of our own know whose result they were. */
export function applyPack(
  state: State,
  sequence: number,
  epoch: number,
  decisions: readonly { draft: LedgerRecord | RecordDraft; from?: string }[],
): void {
  state.lastEpoch = Math.max(state.lastEpoch, epoch);
  for (const { draft, from } of decisions) applyRecord(state, sequence, draft, from);
  state.next.outcomes = sequence + 1;
  state.owner.recordsSince += decisions.length;
}

function applyRecord(state: State, sequence: number, record: LedgerRecord | RecordDraft, from: Decision["from"]): void {
  const { rows } = state;
  switch (record.type) {
    case "outcome":
      applyOutcome(state, sequence, record, from);
      return;
    case "attempt":
      applyAttempt(state, record, from);
      return;
    case "cancel": {
      const row = rows.find(record.id);
      if (row < 0) return;
      rows.set(row, rowFlag.cancelled, true);
      settleDecision(state, row, record);
      return;
    }
    case "parked":
      for (const { id, place } of record.entries) {
        const row = rows.find(id);
        if (row >= 0) moveToParked(state, row, place.sequence, place.index);
      }
      state.owner.parking = false;
      return;
    case "checkpoint":
      noteCheckpoint(state, record, sequence);
      return;
    case "epoch":
      return;
  }
}

function applyOutcome(state: State, sequence: number, record: OutcomeRecord | OutcomeDraft, from?: string): void {
  const row = state.rows.find(record.id);
  const hasCallback = row >= 0 ? state.rows.has(row, rowFlag.callback) : "callbackUrl" in record;
  if (hasCallback) state.firstCallback ??= sequence;
  if (row < 0) {
    applyForeign(state, record);
    return;
  }
  settleDecision(state, row, record, from);
  finish(state, row, record.state, record.endedAt);
}

/** The outcome of an envelope that was never read here (its stream was made anew): the outcome says enough (L5). */
function applyForeign(state: State, record: OutcomeRecord | OutcomeDraft): void {
  if (!("bodyHash" in record)) return;
  const isKept = record.idempotencyKey !== undefined || /[1-9a-f]/.test(record.bodyHash);
  const known = (isKept ? state.kept : state.recent).find(record.id, record.endedAt);
  if (known) return;
  (isKept ? state.kept : state.recent).addText(record.id, record.bodyHash, record.endedAt, record.state);
  if (record.position) {
    const { source, last } = record.position;
    state.marks.move(source, Math.max(state.marks.get(source) ?? last, last), record.endedAt);
  }
  state.totals.accepted++;
  state.totals.ended[record.state]++;
}

function applyAttempt(state: State, record: AttemptRecord, from?: string): void {
  const { rows } = state;
  const row = rows.find(record.id);
  // An attempt is recorded once: a number that is not the next one was counted already.
  if (row < 0 || record.attempt !== rows.attempt(row)) return;
  settleDecision(state, row, record, from);
  leave(state, row);
  rows.set(row, rowFlag.deciding, false);
  if (record.how === "lost") rows.lost[row]!++;
  else rows.failed[row]!++;
  toWaiting(state, row, record.nextAt);
  if (decides(state)) endIfCancelled(state, row);
}
