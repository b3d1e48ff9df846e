import type { RegisteredFunction } from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";
import type { CoreEvent, FunctionRules } from "../core/index.ts";

/** Every function has the same share of its pool's turns. */
const WEIGHT = 1;

/** Tells the core of every function there is, then of every change (L3). Gives back how to stop. */
export function followFunctions(
  registry: RegistryIndex,
  backlog: number,
  apply: (event: CoreEvent) => void,
): () => void {
  let indexRevision = 0;
  const tell = (registryId: string, now: RegisteredFunction | undefined) => {
    if (now) indexRevision = Math.max(indexRevision, now.revision);
    apply({ type: "function", registryId, indexRevision, ...(now ? { rules: toRules(now, backlog) } : {}) });
  };
  const stop = registry.onFunction(tell);
  for (const known of registry.allFunctions()) tell(known.definition.id, known);
  return stop;
}

function toRules({ definition: { settings } }: RegisteredFunction, backlog: number): FunctionRules {
  return {
    limit: settings.concurrency.limit,
    weight: WEIGHT,
    pool: settings.pool,
    retry: settings.retry,
    maxAgeMs: settings.maxAgeMs,
    backlog,
  };
}
