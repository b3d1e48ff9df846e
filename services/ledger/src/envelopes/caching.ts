import type { FrameHead } from "@fnbus/contract";
import type { CoreView } from "../core/index.ts";
import { isLive } from "../look-up/live-view.ts";
import type { FrameCache } from "./cache.ts";

/** After the core has judged it: frames of dropped copies and of what has ended already are not kept. */
export function dropUnneeded(cache: FrameCache, view: CoreView, sequence: number, heads: readonly FrameHead[]): void {
  for (const [index, { id }] of heads.entries()) {
    const found = view.find(id);
    const isNeeded = found && isLive(found) && found.place.sequence === sequence && found.place.index === index;
    if (!isNeeded) cache.delete(sequence, index);
  }
}
