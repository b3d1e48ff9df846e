import type { Entry, ResultEntry, RunResult, WorkEntry, WorkHead } from "@fnbus/contract";

/** What an executor holds for the ledger (LEDGER.md L14 .. L16): pure, the clock is an argument. */

interface Held {
  id: string;
  attempt: number;
  partition: number;
  /** Absent while it runs. */
  ended?: { result: RunResult; body: Uint8Array };
  /** When its result was last sent, ms; 0: not since the owner changed. */
  sentAt: number;
}

interface PartitionState {
  epoch: number;
  applied: number;
}

/** What to do about an applied pack. */
export interface PackActions {
  start: { id: string; attempt: number; leftMs: number; frame: Uint8Array }[];
  /** Stop these; they end as `cancelled`. */
  cancel: string[];
  /** Stop these and tell nobody: the owner does not know them. */
  forget: string[];
  refuse: Extract<ResultEntry, { type: "refused" }>[];
}

export interface ResultsDue {
  partition: number;
  epoch: number;
  applied: number;
  results: { id: string; attempt: number; result: RunResult; body: Uint8Array }[];
}

/** A result is sent again after this until the ledger says it is durable (L16). */
const REPEAT_MS = 1_000;

export function createHeldWork(capacity: number) {
  const held = new Map<string, Held>();
  const partitions = new Map<number, PartitionState>();

  const stateOf = (partition: number): PartitionState => {
    let state = partitions.get(partition);
    if (!state) {
      state = { epoch: 0, applied: 0 };
      partitions.set(partition, state);
    }
    return state;
  };

  /** A newer owner counts its packs from 1, and has heard none of our results (L19, L21). */
  function seeEpoch(partition: number, epoch: number): void {
    const state = stateOf(partition);
    if (epoch <= state.epoch) return;
    state.epoch = epoch;
    state.applied = 0;
    for (const one of held.values()) if (one.partition === partition) one.sentAt = 0;
  }

  function take(entry: Entry<WorkEntry>, partition: number, draining: boolean, actions: PackActions): void {
    const { meta } = entry;
    if (meta.type === "run") {
      const { id, attempt } = meta;
      const known = held.get(id);
      if (known && known.attempt >= attempt) return;
      const room = !known && held.size < capacity;
      if (draining || !(room || known?.ended)) {
        actions.refuse.push({ type: "refused", id, attempt, why: draining ? "draining" : "full" });
        return;
      }
      held.set(id, { id, attempt, partition, sentAt: 0 });
      actions.start.push({ id, attempt, leftMs: meta.leftMs, frame: entry.body });
    } else if (meta.type === "cancel") {
      if (held.get(meta.id)?.ended === undefined) actions.cancel.push(meta.id);
    } else {
      for (const id of meta.ids) {
        const known = held.get(id);
        if (!known || (meta.type === "durable" && !known.ended)) continue;
        held.delete(id);
        if (!known.ended) actions.forget.push(id);
      }
    }
  }

  return {
    seeEpoch,
    /**
     * Applies a pack: in order, each number once, none of an older epoch (L15, L19). undefined: not applied, being a
     * repeat, ahead of a missing one, or of an older owner.
     */
    apply(head: WorkHead, entries: readonly Entry<WorkEntry>[], draining: boolean): PackActions | undefined {
      seeEpoch(head.partition, head.epoch);
      const state = stateOf(head.partition);
      if (head.epoch < state.epoch || head.number !== state.applied + 1) return undefined;
      state.applied = head.number;
      const actions: PackActions = { start: [], cancel: [], forget: [], refuse: [] };
      for (const entry of entries) take(entry, head.partition, draining, actions);
      return actions;
    },
    /** Whether this epoch is the newest known of the partition: older owners get no answer. */
    isNewest: (partition: number, epoch: number): boolean => epoch === stateOf(partition).epoch,
    partitionOf: (id: string): number | undefined => held.get(id)?.partition,
    progress: (partition: number): PartitionState => stateOf(partition),
    /** A run ended. false: the owner forgot it meanwhile. */
    end(id: string, attempt: number, result: RunResult, body: Uint8Array): boolean {
      const one = held.get(id);
      if (!one || one.attempt !== attempt || one.ended) return false;
      one.ended = { result, body };
      return true;
    },
    /** A run that never started goes back: it is no attempt (L15). */
    giveBack(id: string): { partition: number; attempt: number } | undefined {
      const one = held.get(id);
      held.delete(id);
      return one && { partition: one.partition, attempt: one.attempt };
    },
    /** Results to send now, by partition; they count as sent. */
    due(nowMs: number): ResultsDue[] {
      const due = new Map<number, ResultsDue>();
      for (const one of held.values()) {
        if (!one.ended || (one.sentAt !== 0 && nowMs - one.sentAt < REPEAT_MS)) continue;
        one.sentAt = nowMs;
        let group = due.get(one.partition);
        if (!group) {
          group = { partition: one.partition, ...stateOf(one.partition), results: [] };
          due.set(one.partition, group);
        }
        group.results.push({ id: one.id, attempt: one.attempt, ...one.ended });
      }
      return [...due.values()];
    },
    /** For the announcement (L14). */
    holds(): Record<string, PartitionState & { holds: [id: string, attempt: number][] }> {
      const all: ReturnType<typeof this.holds> = {};
      for (const [partition, state] of partitions) all[partition] = { ...state, holds: [] };
      for (const one of held.values()) all[one.partition]!.holds.push([one.id, one.attempt]);
      return all;
    },
    get size(): number {
      return held.size;
    },
  };
}
export type HeldWork = ReturnType<typeof createHeldWork>;
