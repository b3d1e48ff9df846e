import { toJobId } from "../core/callback-reference.ts";
import type { OpenCallback, OpenCallbacks } from "../core/open-callbacks.ts";
import type { Jobs } from "./jobs.ts";

/** Looked for in one round. */
const ROUND = 5_000;
const AT_ONCE = 50;

/**
 * One round over callbacks that are late by `overdueMs` (due jobs of a busy host wait for their turn): who has no job, or one
 * that ended without a record of it, gets a new one. Redis may lose single jobs without being emptied (a second of its log, a
 * replica that took over).
 */
export async function reconcile(open: OpenCallbacks, jobs: Jobs, now: number, overdueMs: number): Promise<number> {
  if (!jobs.isUp()) return 0;
  const overdue: OpenCallback[] = [];
  for (const callback of open.all()) {
    if (callback.hasJob && callback.dueAt + overdueMs < now && overdue.push(callback) >= ROUND) break;
  }
  let lost = 0;
  /** A series is asked for once, for all that are in it. */
  const ofSeries = new Map<string, Promise<boolean>>();
  const isAlive = (series: string): Promise<boolean> => {
    const asked = ofSeries.get(series) ?? jobs.state(series).then((state) => state === "alive");
    ofSeries.set(series, asked);
    return asked;
  };
  for (let at = 0; at < overdue.length; at += AT_ONCE) {
    await Promise.all(
      overdue.slice(at, at + AT_ONCE).map(async (callback) => {
        const isInSeries = callback.series !== undefined && (await isAlive(callback.series));
        const state = isInSeries ? "alive" : await jobs.state(toJobId(callback));
        if (state === "alive") {
          // Looked at again when it is overdue anew, so that a round comes to all of them.
          callback.dueAt = now;
          return;
        }
        if (state === "idle") await jobs.remove(toJobId(callback));
        lost++;
        open.forgetJob(callback.id);
      }),
    );
  }
  return lost;
}
