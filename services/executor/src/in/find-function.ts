import { type EnvelopeMeta, FnbusError, type RegisteredFunction } from "@fnbus/contract";
import type { Registry } from "@fnbus/registry";

/** How long the index may take to catch up with an envelope that is newer than it (L3). */
const CATCH_UP_MS = 5_000;

/**
 * The function of an envelope, by its registry id (L3): a namesake made later is another. At once where the index knows
 * the envelope's revision; otherwise after it has caught up. Throws `function_deleted`.
 */
export function createFindFunction(registry: Registry) {
  const judge = (meta: EnvelopeMeta): RegisteredFunction => {
    const found = registry.functionById(meta.registryId);
    if (!found) throw new FnbusError("function_deleted");
    return found;
  };
  return (meta: EnvelopeMeta): RegisteredFunction | Promise<RegisteredFunction> => {
    const found = registry.functionById(meta.registryId);
    if (found && found.revision >= meta.revision) return found;
    return registry.caughtUp(meta.revision, CATCH_UP_MS).then(() => judge(meta));
  };
}
