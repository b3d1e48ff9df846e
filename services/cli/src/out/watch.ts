import { watch } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Editors write a file in several steps: a change is one when nothing more came for this long. */
const QUIET_MS = 200;

/** Calls `onChange` after each change below `path`, one at a time, until the signal ends. */
export async function watchPath(path: string, signal: AbortSignal, onChange: () => Promise<void>): Promise<void> {
  let changed = false;
  const reader = (async () => {
    for await (const _event of watch(path, { recursive: true, signal })) changed = true;
  })().catch((error: Error) => {
    if (error.name !== "AbortError") throw error;
  });
  while (!signal.aborted) {
    await Promise.race([reader, sleep(QUIET_MS)]);
    if (!changed) continue;
    changed = false;
    await sleep(QUIET_MS);
    if (changed) continue;
    await onChange();
  }
}
