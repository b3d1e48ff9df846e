import type { RegisteredFunction, Trigger } from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";
import type { Health } from "./health.ts";

/** The trigger's function as it is registered now, or undefined. */
export const findTarget = (registry: RegistryIndex, trigger: Trigger): RegisteredFunction | undefined =>
  trigger.function && registry.functionByName(trigger.space, trigger.function.name);

/** The same; waits for it where it does not exist. Throws the signal's reason where that ends the wait. */
export async function waitForTarget(
  registry: RegistryIndex,
  trigger: Trigger,
  health: Health,
  signal: AbortSignal,
): Promise<RegisteredFunction> {
  for (;;) {
    signal.throwIfAborted();
    const found = findTarget(registry, trigger);
    if (found) {
      health.well("function");
      return found;
    }
    const message = `no function ${trigger.function?.name ?? ""} in space ${trigger.space}`;
    health.failed("function", { code: "function_not_found", message });
    await new Promise<void>((resolve) => {
      const over = () => {
        stopListening();
        signal.removeEventListener("abort", over);
        resolve();
      };
      const stopListening = registry.onFunction(over);
      signal.addEventListener("abort", over, { once: true });
    });
  }
}
