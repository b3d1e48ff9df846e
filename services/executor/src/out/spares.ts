import type { Logger } from "@fnbus/telemetry";
import type { Boot, Booted, BootWish } from "./boot.ts";

type Kind = Pick<BootWish, "runtime" | "network">;

const keyOf = (kind: Kind): string => `${kind.runtime} ${kind.network}`;
/** After a boot that failed: a broken machine is not kept busy. */
const RETRY_MS = 2_000;

/** Runners booted ahead, `count` of each kind: the first result of a new function waits for its code only. */
export function createSpares(boot: Boot, count: number, logger: Logger) {
  const ready = new Map<string, Booted[]>();
  const booting = new Map<string, number>();
  let stopped = false;

  function fill(kind: Kind): void {
    const key = keyOf(kind);
    const list = ready.get(key) ?? [];
    ready.set(key, list);
    while (!stopped && list.length + (booting.get(key) ?? 0) < count) {
      booting.set(key, (booting.get(key) ?? 0) + 1);
      boot.boot(kind).then(
        (booted) => {
          booting.set(key, booting.get(key)! - 1);
          list.push(booted);
          void booted.ended.then(() => {
            const index = list.indexOf(booted);
            if (index >= 0) list.splice(index, 1);
          });
        },
        (error: Error) => {
          logger.warn({ err: error, ...kind }, "a runner could not be booted ahead");
          setTimeout(() => {
            booting.set(key, booting.get(key)! - 1);
            fill(kind);
          }, RETRY_MS).unref();
        },
      );
    }
  }

  return {
    fill,
    /** One that is ready, or one started now. */
    async take(kind: Kind): Promise<Booted> {
      const spare = ready.get(keyOf(kind))?.shift();
      // Filling up in the same turn would take the CPU from the very start that it is meant to speed up.
      setTimeout(() => fill(kind), 20).unref();
      return spare ?? boot.boot(kind);
    },
    /** Boots no more. Those that stand ready end with all others. */
    stop(): void {
      stopped = true;
    },
  };
}
export type Spares = ReturnType<typeof createSpares>;
