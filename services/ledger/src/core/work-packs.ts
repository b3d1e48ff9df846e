import type { WorkDraft } from "./actions.ts";
import { placeOf } from "./lifecycle.ts";
import type { ExecutorState, UnansweredPack, WorkEntryKept } from "./owner-state.ts";
import { NONE } from "./rows.ts";
import type { State } from "./state.ts";

/** Unanswered packs that are said again at once: their frames are read again, too. */
const REPEATED_PACKS = 8;

/**
 * Entries that may wait to be packed for one executor (I11). Of what is over, runs are not handed out yet, and the rest
 * is asked for again by its repeated results.
 */
export const OUTBOX_ENTRIES = 4_096;

/** Puts an entry into the next pack to this executor. */
export function tell(state: State, name: string, entry: WorkEntryKept): void {
  const executor = state.owner.executors.get(name);
  if (!executor || executor.gone || !executor.joined || executor.outbox.length >= OUTBOX_ENTRIES) return;
  const last = executor.outbox.at(-1);
  if (last && last.type === entry.type && (last.type === "durable" || last.type === "forget") && "ids" in entry) {
    if (last.ids.length < state.limits.packEntries) {
      last.ids.push(...entry.ids);
      return;
    }
  }
  executor.outbox.push(entry);
}

/** Packs what was put out for each executor, numbers it and sends it (L15). */
export function flushWork(state: State): void {
  for (const executor of state.owner.executors.values()) {
    while (executor.outbox.length > 0 && executor.unanswered.length < state.limits.unansweredPacks) {
      const pack: UnansweredPack = {
        number: ++executor.number,
        entries: takeEntries(state, executor),
        sentAt: state.now.mono,
      };
      executor.unanswered.push(pack);
      for (const entry of pack.entries) {
        if (entry.type === "run") executor.held.set(state.rows.find(entry.id), pack.number);
      }
      send(state, executor, pack);
    }
  }
}

/** As many entries as one pack holds. A run whose row has ended meanwhile is left out. */
function takeEntries(state: State, executor: ExecutorState): WorkEntryKept[] {
  let bytes = 0;
  let count = 0;
  const taken: WorkEntryKept[] = [];
  for (const entry of executor.outbox) {
    const row = entry.type === "run" ? state.rows.find(entry.id) : NONE;
    const size = row === NONE ? 0 : state.rows.bytes[row]!;
    if (taken.length === state.limits.packEntries || (taken.length > 0 && bytes + size > state.limits.packBytes)) break;
    bytes += size;
    count++;
    if (entry.type !== "run" || (row !== NONE && executor.held.has(row))) taken.push(entry);
  }
  executor.outbox.splice(0, count);
  return taken;
}

/** Answered: the executor has applied all packs up to this number. */
export function confirmPacks(executor: ExecutorState, applied: number): void {
  while (executor.unanswered[0] && executor.unanswered[0].number <= applied) executor.unanswered.shift();
  executor.number = Math.max(executor.number, applied);
}

/**
 * Says again what was not answered in time, from the first on: a pack lost on the way would stop all behind it (L15).
 * A repeat may hand out as the first time did, so it too asks for a safe lease (L19).
 */
export function repeatUnanswered(state: State): void {
  if (state.without.has("L15")) return;
  if (!state.now.leaseSafe && !state.without.has("L19")) return;
  for (const executor of state.owner.executors.values()) {
    const first = executor.unanswered[0];
    if (!first || executor.gone || state.now.mono - first.sentAt < state.limits.repeatMs) continue;
    for (const pack of executor.unanswered.slice(0, REPEATED_PACKS)) {
      pack.sentAt = state.now.mono;
      send(state, executor, pack);
    }
  }
}

function send(state: State, executor: ExecutorState, pack: UnansweredPack): void {
  const entries = pack.entries.map((entry) => toDraft(state, executor, entry)).filter((entry) => entry !== undefined);
  const head = { partition: state.partition, epoch: state.owner.epoch, number: pack.number };
  state.actions.push({ do: "work", executor: executor.name, head, entries });
}

/** A run that is no longer this executor's, or counts as lost, is left out when its pack is repeated (L17). */
function toDraft(state: State, executor: ExecutorState, entry: WorkEntryKept): WorkDraft | undefined {
  if (entry.type !== "run") return entry;
  const { rows, now } = state;
  const row = rows.find(entry.id);
  if (row < 0 || rows.attempt(row) !== entry.attempt || !executor.held.has(row)) return undefined;
  const leftMs = Math.max(0, rows.deadlineAt(row) - now.broker);
  return { ...entry, leftMs, place: placeOf(state, row) };
}
