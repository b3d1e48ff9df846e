/** When a function gets another instance. */
export interface PoolLoad {
  queued: number;
  /** How long the first of the queue has waited. */
  waitedMs: number;
  instances: number;
  /** Of them, those that are not ready yet. */
  starting: number;
  perInstance: number;
}

/** A queue that drains faster than this needs no further instance: starting one costs tens of milliseconds of CPU. */
export const PATIENCE_MS = 10;
/** Instances of one function that start at the same time, so that a flood of calls is no flood of processes. */
const STARTING_LIMIT = 4;

/** How many instances to start now. The first one at once; more when the queue does not drain by itself. */
export function countToStart(load: PoolLoad): number {
  if (load.queued === 0) return 0;
  if (load.instances === 0) return 1;
  if (load.waitedMs < PATIENCE_MS) return 0;
  const wanted = Math.ceil(load.queued / load.perInstance);
  return Math.max(0, Math.min(wanted, STARTING_LIMIT) - load.starting);
}
