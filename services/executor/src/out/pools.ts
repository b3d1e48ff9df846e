import type { FunctionDefinition } from "@fnbus/contract";
import { toFingerprint } from "../core/load-settings.ts";
import type { Runs } from "../core/runs.ts";
import { type Budget, createFunctionPool, type FunctionPool } from "./function-pool.ts";
import type { StartInstance } from "./start-instance.ts";

export interface PoolLimits {
  instances: number;
  /** Sum of the memory that the instances' functions may use. */
  memoryMb: number;
  idleMs: number;
}

const TICK_MS = 10;
const KEEP_MS = 1_000;

/** All functions' pools on this executor, under one budget. */
export function createPools(startInstance: StartInstance, limits: PoolLimits, executor: string) {
  const pools = new Map<string, { fingerprint: string; updatedAt: number; pool: FunctionPool }>();
  /** Pools of an older form that still finish what runs. */
  const retired = new Set<FunctionPool>();
  let instances = 0;
  let memoryMb = 0;
  let wanted = 0;
  let isMakingRoom = false;

  const everyPool = (): FunctionPool[] => [...[...pools.values()].map(({ pool }) => pool), ...retired];

  const budget: Budget = {
    reserve(definition) {
      const needMb = definition.settings.memoryMb;
      const hasRoom = () => instances < limits.instances && memoryMb + needMb <= limits.memoryMb;
      if (!hasRoom()) {
        endLongestIdle();
        return false;
      }
      instances++;
      memoryMb += needMb;
      return true;
    },
    release(definition) {
      instances--;
      memoryMb -= definition.settings.memoryMb;
    },
    isWanted: () => wanted > 0,
  };

  /**
   * The least recently used idle instance goes first; its room is free when its process is gone. One at a time: whoever
   * asks again until then would end instances that nobody has to make room with.
   */
  function endLongestIdle(): void {
    if (isMakingRoom) return;
    let longest: FunctionPool | undefined;
    for (const pool of everyPool()) {
      const since = pool.idleSince();
      if (since !== undefined && since < (longest?.idleSince() ?? Number.POSITIVE_INFINITY)) longest = pool;
    }
    const ended = longest?.endLongestIdle();
    if (!ended) return;
    isMakingRoom = true;
    void ended.then(() => {
      isMakingRoom = false;
    });
  }

  function poolOf(definition: FunctionDefinition): FunctionPool {
    const known = pools.get(definition.id);
    if (known && known.updatedAt === definition.updatedAt) return known.pool;
    const fingerprint = toFingerprint(definition);
    if (known?.fingerprint === fingerprint) {
      known.updatedAt = definition.updatedAt;
      return known.pool;
    }
    if (known) retire(known.pool);
    const pool = createFunctionPool(definition, startInstance, budget, executor);
    pools.set(definition.id, { fingerprint, updatedAt: definition.updatedAt, pool });
    return pool;
  }

  function retire(pool: FunctionPool): void {
    pool.retire();
    retired.add(pool);
  }

  const ticking = setInterval(() => {
    const now = performance.now();
    wanted = 0;
    for (const { pool } of pools.values()) {
      pool.tick(now);
      if (pool.queued > 0 && pool.instances === 0) wanted++;
    }
    for (const pool of retired) pool.tick(now);
  }, TICK_MS);
  const keeping = setInterval(() => {
    const now = performance.now();
    for (const pool of everyPool()) pool.keep(now, limits.idleMs);
    for (const pool of retired) if (pool.instances === 0 && !pool.isBusy) retired.delete(pool);
  }, KEEP_MS);

  const runs: Runs = {
    start: (registered, request, onEnd) => poolOf(registered.definition).submit(request, onEnd),
  };
  return {
    ...runs,
    /** Follows a definition: its prestarted instances, and the end of those of an older form. */
    follow(id: string, definition: FunctionDefinition | undefined): void {
      if (definition && definition.settings.concurrency.prestart > 0) poolOf(definition);
      const known = pools.get(id);
      if (definition && known) poolOf(definition);
      else if (known) {
        pools.delete(id);
        retire(known.pool);
      }
    },
    /** Registry ids of functions with an instance. */
    warm: (): string[] => [...pools].filter(([, { pool }]) => pool.instances > 0).map(([id]) => id),
    facts: () => ({ instances, memoryMb, queued: everyPool().reduce((sum, pool) => sum + pool.queued, 0) }),
    isBusy: (): boolean => everyPool().some((pool) => pool.isBusy),
    async stop(): Promise<void> {
      clearInterval(ticking);
      clearInterval(keeping);
      await Promise.all(everyPool().map((pool) => pool.stop()));
    },
  };
}
