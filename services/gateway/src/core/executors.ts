import type { Announcement } from "@fnbus/contract";

/** An executor that was silent for so long is not asked, ms (the executor lease, LEDGER.md L17). */
const LEASE_MS = 5_000;

/** Which executors there are, by their announcements. */
export interface Executors {
  heard(announcement: Announcement, nowMs: number): void;
  /** How many take calls of the pool, as far as was heard; at least 1. */
  of(pool: string): number;
  /** Another executor of the pool for a call that one had no room for; undefined: there is none. `pick`: 0..1, random. */
  other(pool: string, not: string | undefined, nowMs: number, pick: number): string | undefined;
  /** Executors that hold a warm instance of the function. */
  warm(registryId: string, nowMs: number): number;
  alive(nowMs: number): Announcement[];
}

export function createExecutors(): Executors {
  const known = new Map<string, { at: number; said: Announcement }>();
  const alive = (nowMs: number): Announcement[] => {
    for (const [name, { at }] of known) if (nowMs - at > LEASE_MS) known.delete(name);
    return [...known.values()].map(({ said }) => said);
  };
  /** By pool, counted when somebody is heard and not at every call. */
  let sizes = new Map<string, number>();
  return {
    heard(said, nowMs) {
      known.set(said.executor, { at: nowMs, said });
      sizes = new Map();
      for (const { pool, draining } of alive(nowMs)) if (!draining) sizes.set(pool, (sizes.get(pool) ?? 0) + 1);
    },
    of: (pool) => sizes.get(pool) ?? 1,
    other(pool, not, nowMs, pick) {
      const found = alive(nowMs).filter((said) => said.pool === pool && !said.draining && said.executor !== not);
      return found[Math.min(found.length - 1, Math.floor(pick * found.length))]?.executor;
    },
    warm: (registryId, nowMs) => alive(nowMs).filter((said) => said.warm.includes(registryId)).length,
    alive,
  };
}
