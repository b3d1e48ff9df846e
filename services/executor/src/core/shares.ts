import type { Announcement } from "@fnbus/contract";

/** An executor that is silent for longer is not counted (LEDGER.md L17). */
export const EXECUTOR_LEASE_MS = 5_000;

/** Who else serves the pool: what a function's limit of synchronous calls is divided by. */
export function createShares(self: { executor: string; pool: string }) {
  const others = new Map<string, number>();
  return {
    hear(announcement: Announcement, nowMs: number): void {
      if (announcement.executor === self.executor || announcement.pool !== self.pool) return;
      if (announcement.draining) others.delete(announcement.executor);
      else others.set(announcement.executor, nowMs);
    },
    /** Executors of the pool that take calls, this one among them. */
    count(nowMs: number): number {
      for (const [executor, heardAt] of others) if (nowMs - heardAt > EXECUTOR_LEASE_MS) others.delete(executor);
      return others.size + 1;
    },
    /** How many calls of a function may run here at once. */
    of(limit: number, nowMs: number): number {
      return Math.ceil(limit / this.count(nowMs));
    },
  };
}
export type Shares = ReturnType<typeof createShares>;
