import type { CoreView } from "../src/core/index.ts";
import { simulatedLimits } from "./settings.ts";
import type { World } from "./world.ts";

/** Room in OUTCOMES for all that is decided between two looks at its size: no decision is put off (L23). */
export const hasRoom = ({ bytes, maxBytes }: World["outcomes"]): boolean =>
  bytes < maxBytes / 2 && maxBytes >= 1_000_000;

/**
 * On an owner, after every step: of ticks that may not overlap one is unfinished, or two where one may wait. The rest is
 * being skipped, for which there is room (L13).
 */
export function checkTicks(world: World, view: CoreView): void {
  if (view.phase !== "owning" || view.pendingRecords >= simulatedLimits.pendingRecords) return;
  for (const { registryId, running, queued, waiting } of view.queues()) {
    const overlap = world.functions.find((known) => known.registryId === registryId)?.overlap;
    if (overlap === undefined) continue;
    if (overlap === "queue-one" && running === 1 && waiting === 1) world.reach("tick waiting for an unfinished one");
    const most = overlap === "queue-one" ? 2 : 1;
    if (running > 1 || running + queued + waiting > most)
      world.truth.fail(`L13: ${running} ticks run, ${queued + waiting} wait, where overlap is ${overlap}`);
  }
}
