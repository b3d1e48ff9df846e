import { type Bus, isBusError } from "@fnbus/bus";
import { encodeEntryPack, subjects, type WorkEntry } from "@fnbus/contract";
import type { Action, CoreEvent, WorkDraft } from "../core/index.ts";
import { type Frames, isUnreadable } from "../envelopes/frames.ts";

type Work = Extract<Action, { do: "work" }>;
type Filled = { meta: WorkEntry; body?: Buffer };

/** Packs to executors over core NATS (L15). The core numbers and repeats them; here they get their frames. */
export interface WorkSender {
  send(action: Work): void;
}

/** `apply` hears of envelopes that cannot be read; `failed` of a pack that could not be sent, which is repeated. */
export function createWorkSender(
  bus: Bus,
  frames: Frames,
  events: { apply(event: CoreEvent): void; failed(error: unknown): void },
): WorkSender {
  /** Of each executor, the last pack that still waits for frames: packs leave in the order of their numbers. */
  const lines = new Map<string, Promise<void>>();

  function publish({ executor, head }: Work, entries: readonly Filled[]): void {
    try {
      bus.publish(subjects.work(executor), encodeEntryPack(head, entries));
    } catch (error) {
      events.failed(error);
    }
  }

  async function fill(entry: WorkDraft): Promise<Filled | undefined> {
    if (entry.type !== "run") return { meta: entry };
    const { place, ...meta } = entry;
    try {
      return { meta, body: await frames.read(entry.id, place) };
    } catch (error) {
      if (isUnreadable(error)) {
        events.apply({ type: "unreadable", id: entry.id, code: error.code });
        return undefined;
      }
      throw error;
    }
  }

  async function fillAndPublish(action: Work, before: Promise<void> | undefined): Promise<void> {
    try {
      const filled = await Promise.all(action.entries.map(fill));
      await before;
      publish(
        action,
        filled.filter((entry) => entry !== undefined),
      );
    } catch (error) {
      await before;
      if (!isBusError(error)) throw error;
      events.failed(error);
    }
  }

  /** The common case: everything is cached, and nothing to this executor waits. */
  function fillAtOnce(entries: readonly WorkDraft[]): Filled[] | undefined {
    const filled: Filled[] = [];
    for (const entry of entries) {
      if (entry.type !== "run") {
        filled.push({ meta: entry });
        continue;
      }
      const { place, ...meta } = entry;
      const frame = frames.cached(place);
      if (!frame) return undefined;
      filled.push({ meta, body: frame });
    }
    return filled;
  }

  return {
    send(action) {
      const before = lines.get(action.executor);
      const filled = before ? undefined : fillAtOnce(action.entries);
      if (filled) return publish(action, filled);
      const line = fillAndPublish(action, before).finally(() => {
        if (lines.get(action.executor) === line) lines.delete(action.executor);
      });
      lines.set(action.executor, line);
    },
  };
}
