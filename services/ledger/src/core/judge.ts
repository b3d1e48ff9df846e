import { type ErrorCode, type FrameHead, frameFlags, type Verdict } from "@fnbus/contract";
import type { CoreEvent } from "./events.ts";
import { accept, liveStateOf } from "./lifecycle.ts";
import { applyHeld } from "./outcomes-log.ts";
import { noteGap } from "./owning.ts";
import { rowFlag } from "./rows.ts";
import type { State } from "./state.ts";

/** What a source is told that has no mark yet: every position is above it. */
const NO_MARK = -1;

/** Reads one pack of INVOCATIONS: judges its envelopes in order, and answers whom it asked for verdicts (L9 to L11). */
export function readInvocations(state: State, event: Extract<CoreEvent, { type: "invocations" }>): void {
  if (event.sequence < state.next.invocations) return;
  if (event.sequence > state.next.invocations) {
    noteGap(state, { stream: "invocations", expected: state.next.invocations, read: event.sequence });
  }
  state.stamp = Math.max(state.stamp, event.at);
  state.kept.forget(state.stamp);
  state.recent.forget(state.stamp);
  const verdicts: Verdict[] = [];
  const refused = new Set<string>();
  for (const [index, head] of event.heads.entries()) {
    const verdict = judge(state, head, event.sequence, index, event.at, refused);
    if (head.flags & frameFlags.verdict) verdicts.push(verdict);
  }
  state.next.invocations = event.sequence + 1;
  state.live.readTo(state.next.invocations);
  if (event.verdictInbox && verdicts.length > 0 && state.owner.phase !== "following") {
    state.actions.push({ do: "verdicts", inbox: event.verdictInbox, verdicts });
  }
  applyHeld(state);
}

/**
 * The first copy of an id in log order stands (L9); of a counting source, what lies above its mark (L10). `refused`: sources of
 * which an earlier envelope of the pack was refused. What follows it is refused too: its mark would hide what is cut anew.
 */
function judge(
  state: State,
  head: FrameHead,
  sequence: number,
  index: number,
  at: number,
  refused: Set<string>,
): Verdict {
  const known = findKnown(state, head);
  if (known) {
    state.totals.dropped++;
    return known;
  }
  if (head.flags & frameFlags.counting && !state.without.has("L10")) {
    const refusal = judgePosition(state, head, at, refused.has(head.source));
    if (refusal) {
      if (refusal.verdict === "refused" && refusal.errorCode === "position_refused") refused.add(head.source);
      state.totals.dropped++;
      return refusal;
    }
  }
  accept(state, head, sequence, index, at);
  return { id: head.id, verdict: "new" };
}

function findKnown(state: State, head: FrameHead): Verdict | undefined {
  const { rows } = state;
  const kept = (head.flags & (frameFlags.keyed | frameFlags.named)) !== 0;
  const row = rows.find(head.id);
  if (row >= 0) {
    const sameHash = !kept || !rows.has(row, rowFlag.kept) || rows.sameHash(row, head.bodyHash);
    return sameHash
      ? { id: head.id, verdict: "known", state: liveStateOf(state, row) }
      : { id: head.id, verdict: "conflict" };
  }
  if (state.without.has("L9")) return undefined;
  const ended = (kept ? state.kept : state.recent).find(head.id, state.stamp);
  if (!ended) return undefined;
  return ended.sameHash(head.bodyHash)
    ? { id: head.id, verdict: "known", state: ended.state }
    : { id: head.id, verdict: "conflict" };
}

function judgePosition(state: State, head: FrameHead, at: number, refused: boolean): Verdict | undefined {
  const mark = state.marks.inForce(head.source, state.stamp);
  const refuse = (errorCode: ErrorCode): Verdict => ({
    ...{ id: head.id, verdict: "refused", mark: mark ?? NO_MARK, errorCode },
  });
  // A tick that lies far in the future would hide all ticks until then: a source's clock is wrong (L10).
  if (head.flags & frameFlags.tick && head.last > at + state.limits.tickAheadMs) return refuse("tick_ahead");
  if (mark === undefined) return state.marks.hasRoom(state.stamp) ? undefined : refuse("marks_full");
  if (head.first > mark) return refused ? refuse("position_refused") : undefined;
  return head.last <= mark ? { id: head.id, verdict: "known", state: "dropped" } : refuse("position_refused");
}
