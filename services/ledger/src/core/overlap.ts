import { decideEnd, hasRoom } from "./decisions.ts";
import { isOutcomesFull } from "./hand-out.ts";
import { rowFlag } from "./rows.ts";
import type { State } from "./state.ts";

/**
 * Ends the ticks that find too many of their source unfinished (L13). The outcome is what decides: until it is durable
 * they only wait, on every replica, so that whoever owns next decides by what the logs say.
 */
export function skipOverlapping(state: State): void {
  const { ticks, rows } = state;
  for (const [row, source] of ticks.unjudged) {
    if (!hasRoom(state) || isOutcomesFull(state)) return;
    ticks.unjudged.delete(row);
    if (rows.has(row, rowFlag.deciding) || !ticks.isTooMany(row, source)) continue;
    ticks.skip(row);
    decideEnd(state, row, { state: "cancelled", errorCode: "overlap_skipped" });
  }
}
