import { setTimeout } from "node:timers/promises";

const STEP_MS = 10;

/** Waits until a claim holds; throws with its name when it does not in time. */
export async function until(claim: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${claim}`);
    await setTimeout(STEP_MS);
  }
}
