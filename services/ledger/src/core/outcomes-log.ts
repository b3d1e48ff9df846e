import { settleOwnPack } from "./appending.ts";
import { loseFence, noteGap } from "./owning.ts";
import { applyPack } from "./records.ts";
import type { OutcomesEvent, State } from "./state.ts";

/** Reads one pack of OUTCOMES: whoever wrote it, its records are what happened (L4). */
export function readOutcomes(state: State, event: OutcomesEvent): void {
  if (event.sequence <= state.lastOutcomes) return;
  if (event.sequence > state.lastOutcomes + 1) {
    noteGap(state, { stream: "outcomes", expected: state.lastOutcomes + 1, read: event.sequence });
  }
  // Our own pack, read before its acknowledgement came, or without one (L20).
  if (settleOwnPack(state, event)) return;
  state.lastOutcomes = event.sequence;
  // Of our epoch, but not ours: a broker's clock that was set back lets two come to the same one.
  if (state.owner.phase !== "following" && event.head.epoch >= state.owner.epoch && state.owner.epoch > 0) {
    loseFence(state, `epoch ${event.head.epoch} has been appended`);
  }
  state.held.push(event);
  applyHeld(state);
}

/** Applies the packs whose writer had read no further than we have: the two logs have one order (L5). */
export function applyHeld(state: State): void {
  while (state.held[0] && isDue(state, state.held[0])) {
    const { sequence, head, records } = state.held.shift()!;
    applyPack(
      state,
      sequence,
      head.epoch,
      records.map((draft) => ({ draft })),
    );
  }
}

function isDue(state: State, { sequence, head }: OutcomesEvent): boolean {
  if (head.applied < state.next.invocations || state.without.has("L5")) return true;
  const { invocations, outcomes } = state.logs;
  // Written before we started, of sequences that INVOCATIONS has never reached: that stream was made anew (L7).
  if (sequence > outcomes.last || head.applied <= invocations.last) return false;
  const details = { stream: "invocations", applied: head.applied, last: invocations.last };
  state.actions.push({ do: "alarm", what: "stream-recreated", details });
  return true;
}
