import { FnbusError, type RegisteredFunction } from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";

/** Throws `space_not_found`, `function_not_found`. */
export function toFunction(registry: RegistryIndex, space: string, name: string): RegisteredFunction {
  const found = registry.functionByName(space, name);
  if (found) return found;
  throw new FnbusError(registry.space(space) ? "function_not_found" : "space_not_found");
}

/** Throws `function_not_ready` too. */
export function toReadyFunction(registry: RegistryIndex, space: string, name: string): RegisteredFunction {
  const found = toFunction(registry, space, name);
  if (found.definition.status !== "Running") throw new FnbusError("function_not_ready");
  return found;
}
