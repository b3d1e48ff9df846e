import { toRunning } from "./lifecycle.ts";
import type { ExecutorState } from "./owner-state.ts";
import type { FunctionQueueState } from "./queues.ts";
import type { State } from "./state.ts";
import { OUTBOX_ENTRIES, tell } from "./work-packs.ts";

/** What one record takes in OUTCOMES without its body: metadata of its envelope, and headers. An estimate. */
export const RECORD_BYTES = 1_024;
/** From this fill of OUTCOMES on nothing is handed out, so that what runs can still be appended (L23). */
const OUTCOMES_FULL = 0.8;

/** Hands out what may run now: functions in turn by weight, each to its exact limit, to executors with room (L13). */
export function handOut(state: State): void {
  const { owner, queues } = state;
  if (owner.phase !== "owning") return;
  if (!state.now.leaseSafe && !state.without.has("L19")) return;
  if (isOutcomesFull(state) && !state.without.has("L23")) return;
  if (state.recent.count >= state.limits.recentIds) return;
  for (const pool of queues.pools()) handOutPool(state, pool);
}

function handOutPool(state: State, pool: string): void {
  const { queues } = state;
  const executors: ExecutorState[] = [];
  for (const executor of state.owner.executors.values()) {
    if (executor.announcement.pool === pool && roomOf(state, executor) > 0) executors.push(executor);
  }
  for (let queue = queues.turn(pool); queue && executors.length > 0; queue = queues.turn(pool)) {
    const executor = choose(state, executors, queue);
    if (!executor) return;
    start(state, executor, queue.head);
    if (roomOf(state, executor) <= 0) executors.splice(executors.indexOf(executor), 1);
    if (++queue.served >= queue.rules!.weight || !queues.couldStart(queue)) queues.endTurn(pool);
  }
}

/** Runs that the executor will still take. The ledger counts, the executor only says how many in all (L14). */
function roomOf(state: State, executor: ExecutorState): number {
  const { announcement } = executor;
  const closed =
    executor.gone ||
    !executor.joined ||
    executor.full ||
    executor.stale > 0 ||
    announcement.draining ||
    executor.unanswered.length >= state.limits.unansweredPacks;
  return closed ? 0 : Math.min(announcement.capacity - executor.held.size, OUTBOX_ENTRIES - executor.outbox.length);
}

/** A warm executor before a cold one, then the one with the most room. */
function choose(state: State, executors: ExecutorState[], queue: FunctionQueueState): ExecutorState | undefined {
  let best: ExecutorState | undefined;
  let bestWarm = false;
  let bestRoom = 0;
  for (const executor of executors) {
    const warm = executor.warm.has(queue.registryId);
    const room = roomOf(state, executor);
    if (best && ((bestWarm && !warm) || (bestWarm === warm && bestRoom >= room))) continue;
    best = executor;
    bestWarm = warm;
    bestRoom = room;
  }
  return best;
}

function start(state: State, executor: ExecutorState, row: number): void {
  toRunning(state, row);
  state.owner.running.set(row, { executor: executor.name, at: state.now.broker });
  // Its pack's number is filled in when it is packed; until then it cannot be missed in an announcement.
  executor.held.set(row, Number.POSITIVE_INFINITY);
  tell(state, executor.name, { type: "run", id: state.rows.id(row), attempt: state.rows.attempt(row) });
}

/** How full OUTCOMES is, with what was appended since the broker was last asked, and what is decided already. */
export function isOutcomesFull({ fill, owner }: State): boolean {
  if (!fill || fill.outcomes.maxBytes <= 0) return false;
  const decided = (owner.pending.length + owner.inFlight.length) * RECORD_BYTES;
  return fill.outcomes.bytes + owner.appendedBytes + decided >= OUTCOMES_FULL * fill.outcomes.maxBytes;
}
