import type { RegisteredTrigger, Trigger, TriggerReport, TriggerType } from "@fnbus/contract";
import type { TriggerIndex } from "@fnbus/registry";
import type { Logger } from "@fnbus/telemetry";
import { createStatus, type KeptStatus } from "./status.ts";
import type { OpenSource, SourceKind } from "./types.ts";

export type SourceKinds = Partial<Record<TriggerType, SourceKind>>;

/** One trigger: what is wanted of it, and what runs. */
interface Slot {
  wanted: Trigger | undefined;
  /** The definition that `source` runs. */
  runs?: Trigger | undefined;
  source?: OpenSource | undefined;
  status: KeptStatus;
  /** The changes that are being made, one after the other. */
  work?: Promise<void> | undefined;
}

/** Triggers of one service's types as they run here: opened, changed, stopped as their definitions say. */
export interface Slots {
  /** Of all of them, without what their types have to say. */
  statuses(): Iterable<Omit<TriggerReport, "details"> & { type: TriggerType }>;
  report(id: string): TriggerReport | undefined;
  readonly size: number;
  stop(): Promise<void>;
}

export function createSlots(triggers: TriggerIndex, kinds: SourceKinds, logger: Logger): Slots {
  const slots = new Map<string, Slot>();
  let stopped = false;

  /** Makes what runs what is wanted; what is wanted may change meanwhile. */
  async function settle(id: string, slot: Slot): Promise<void> {
    const target = () => (stopped || !slot.wanted?.enabled ? undefined : slot.wanted);
    while (slot.runs !== target()) {
      const wanted = target();
      if (slot.source && wanted && slot.source.change?.(wanted)) {
        slot.runs = wanted;
        continue;
      }
      if (slot.source) {
        await slot.source
          .stop()
          .catch((error: unknown) => logger.error({ err: error, trigger: id }, "a source did not stop well"));
        slot.source = undefined;
        slot.runs = undefined;
        continue;
      }
      slot.status = createStatus(Date.now);
      slot.runs = wanted;
      slot.source = wanted && kinds[wanted.type]!.open(wanted, slot.status);
    }
    slot.work = undefined;
    if (!slot.wanted) slots.delete(id);
  }
  const apply = (id: string, now: RegisteredTrigger | undefined) => {
    const slot = slots.get(id) ?? { wanted: undefined, status: createStatus(Date.now) };
    if (!now && !slots.has(id)) return;
    if (now && !kinds[now.trigger.type]) return;
    slots.set(id, slot);
    slot.wanted = now?.trigger;
    // After this turn: a definition that is changed twice in it is opened once.
    slot.work ??= Promise.resolve().then(() => settle(id, slot));
  };
  const stopWatching = triggers.onTrigger(apply);
  for (const registered of triggers.allTriggers()) apply(registered.trigger.id, registered);

  const toStatus = (id: string, { wanted, status }: Slot): Omit<TriggerReport, "details"> => {
    const report = { id, ...status.report() };
    return wanted?.enabled === false ? { ...report, state: "Paused" } : report;
  };

  return {
    *statuses() {
      for (const [id, slot] of slots) if (slot.wanted) yield { ...toStatus(id, slot), type: slot.wanted.type };
    },
    report(id) {
      const slot = slots.get(id);
      if (!slot?.wanted) return undefined;
      const details = slot.source?.details?.();
      return { ...toStatus(id, slot), ...(details && { details }) };
    },
    get size() {
      return slots.size;
    },
    async stop() {
      stopped = true;
      stopWatching();
      for (const [id, slot] of slots) slot.work ??= settle(id, slot);
      await Promise.all([...slots.values()].map(({ work }) => work));
    },
  };
}
