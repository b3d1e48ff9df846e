import type { Bus } from "@fnbus/bus";
import { encodeEntryPack, type GiveUp, subjects } from "@fnbus/contract";

/** Give-ups that wait for RECORDS at once; more are counted by their metric and told on the log (I11). */
const WAITING_MAX = 1000;
const APPEND_TIMEOUT_MS = 4000;
const RETRY_MS = 1000;
const TRIES = 60;

/** Appends what the ledger gives up to RECORDS (I6). */
export interface Records {
  giveUp(what: string, reason: string, about: { id?: string; details?: Record<string, unknown> }): void;
}

export function createRecords(
  bus: Bus,
  partition: number,
  now: () => number,
  lost: (record: GiveUp, error: unknown) => void,
): Records {
  let waiting = 0;

  async function append(record: GiveUp): Promise<void> {
    const pack = encodeEntryPack({ service: record.service }, [{ meta: record }]);
    for (let tried = 1; ; tried++) {
      try {
        await bus.append(subjects.records(partition), pack, { timeoutMs: APPEND_TIMEOUT_MS });
        return;
      } catch (error) {
        if (tried === TRIES) return lost(record, error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }

  return {
    giveUp(what, reason, about) {
      const record: GiveUp = { type: "give-up", at: Math.round(now()), service: "ledger", what, reason, ...about };
      if (waiting >= WAITING_MAX) return lost(record, new Error("too many give-ups wait"));
      waiting++;
      void append(record).finally(() => waiting--);
    },
  };
}
