import type { ResultEntry, ResultsHead } from "@fnbus/contract";
import { decideAttempt, decideEnd, decides, endIfCancelled, hasRoom } from "./decisions.ts";
import type { CoreEvent, ResultArrived } from "./events.ts";
import { handBack } from "./executors.ts";
import { toQueue } from "./lifecycle.ts";
import type { ExecutorState } from "./owner-state.ts";
import { type AfterFailure, afterFailure, jitterShare } from "./retry.ts";
import { rowFlag } from "./rows.ts";
import type { State } from "./state.ts";
import { confirmPacks, tell } from "./work-packs.ts";

type Result = Extract<ResultEntry, { type: "result" }>;
type Refused = Extract<ResultEntry, { type: "refused" }>;

/** Takes what an executor reports. Whatever is not taken now it repeats every second (L16). */
export function onResults(state: State, event: Extract<CoreEvent, { type: "results" }>): void {
  const { owner } = state;
  const executor = owner.executors.get(event.head.executor);
  if (!executor || !decides(state)) return;
  if (!executor.gone) executor.heardAt = state.now.mono;
  if (executor.joined && event.head.epoch === owner.epoch) confirmPacks(executor, event.head.applied);
  for (const entry of event.entries) {
    if (entry.meta.type === "refused") onRefused(state, executor, event.head, entry.meta);
    else onResult(state, executor, entry.meta, entry.body);
  }
}

/** Not started, and no attempt: for want of room, or because the executor drains (L15). */
function onRefused(state: State, executor: ExecutorState, head: ResultsHead, entry: Refused): void {
  const { rows, owner } = state;
  if (entry.why === "full") executor.full = true;
  const row = rows.find(entry.id);
  if (row < 0 || rows.has(row, rowFlag.deciding) || rows.attempt(row) !== entry.attempt) return;
  if (owner.running.get(row)?.executor !== executor.name) return;
  // Said before this hand-out came: an earlier one was refused, and this one may run already.
  if (head.epoch !== owner.epoch || executor.held.get(row)! > head.applied) return;
  handBack(state, executor, row);
  toQueue(state, row, true);
  endIfCancelled(state, row);
}

function onResult(state: State, executor: ExecutorState, meta: Result, body: ResultArrived["body"]): void {
  const { rows, owner } = state;
  const row = rows.find(meta.id);
  if (row < 0) {
    const ended = state.kept.find(meta.id, state.stamp) ?? state.recent.find(meta.id, state.stamp);
    tell(state, executor.name, { type: ended ? "durable" : "forget", ids: [meta.id] });
    return;
  }
  // The first outcome stands; more than a bound of undurable ones is left with the executors (I11).
  if (rows.has(row, rowFlag.deciding) || !hasRoom(state)) return;
  if (state.without.has("L16")) tell(state, executor.name, { type: "durable", ids: [meta.id] });
  const from = executor.name;
  const { result } = meta;
  if (!result.error) {
    decideEnd(state, row, { state: "succeeded", result, body, from, attempt: "run" });
    return;
  }

  const runsOn = owner.running.get(row)?.executor;
  const isCurrent = meta.attempt === rows.attempt(row) && (runsOn === undefined || runsOn === from);
  if (!isCurrent) {
    // A lost run's failure decides nothing. Where this executor runs the id anew, "forget" would end that run.
    if (runsOn !== from) tell(state, from, { type: "forget", ids: [meta.id] });
    return;
  }
  decideFailure(state, row, meta, body, from);
}

function decideFailure(state: State, row: number, meta: Result, body: Uint8Array, from: string): void {
  const { rows } = state;
  const { result } = meta;
  const error = result.error!;
  const rules = state.queues.ofRow(row).rules;
  const failures = rows.failed[row]! + 1;
  const share = jitterShare(rows.ids, row * 4, meta.attempt);
  const after: AfterFailure = rules
    ? afterFailure(rules.retry, error.code, failures, share)
    : { again: false, state: "failed" };
  if (rows.has(row, rowFlag.cancelled) && (after.again || error.code === "cancelled")) {
    decideEnd(state, row, { state: "cancelled", errorCode: "cancelled", result, body, from, attempt: "run" });
    return;
  }
  if (!after.again) {
    decideEnd(state, row, { state: after.state, errorCode: error.code, result, body, from, attempt: "run" });
    return;
  }
  const ended = {
    how: "failed" as const,
    executor: from,
    errorCode: error.code,
    message: error.message,
    startedAt: result.startedAt,
    durationMs: result.durationMs,
    nextAt: state.now.broker + after.delayMs,
  };
  decideAttempt(state, row, ended, from);
}
