import { FnbusError } from "@fnbus/contract";
import type { EventCall } from "@fnbus/publisher";
import type { RegistryIndex } from "@fnbus/registry";
import { checkCtsOperations, checkObsEvents, type SourceKind, type SourceStatus } from "@fnbus/sources";
import { type HttpTrigger, type HttpType, httpTypes, readEvent } from "../../core/read-delivery.ts";

/** Triggers that wait for requests: what they say of themselves. */
export interface Listening {
  kinds: Record<HttpType, SourceKind>;
  /** undefined: not open here (yet). */
  statusOf(triggerId: string): SourceStatus | undefined;
  close(): void;
}

interface Open {
  trigger: HttpTrigger;
  status: SourceStatus;
}

/** Nothing is connected: a trigger runs when its filter can be read and its function exists. */
export function createListening(registry: RegistryIndex): Listening {
  const open = new Map<string, Open>();
  const judge = ({ trigger, status }: Open) => {
    try {
      checkFilter(trigger);
      findFunction(registry, trigger);
      status.running();
    } catch (error) {
      if (!(error instanceof FnbusError)) throw error;
      status.failed(error.code, error.message);
    }
  };
  const unwatch = registry.onFunction(() => {
    for (const one of open.values()) judge(one);
  });
  const kind: SourceKind = {
    open(given, status) {
      const trigger = given as HttpTrigger;
      const one: Open = { trigger, status };
      open.set(trigger.id, one);
      judge(one);
      return {
        change(now) {
          one.trigger = now as HttpTrigger;
          judge(one);
          return true;
        },
        async stop() {
          open.delete(trigger.id);
        },
      };
    },
    sample(given, event): EventCall[] {
      const trigger = given as HttpTrigger;
      const to = findFunction(registry, trigger);
      const { parts } = readEvent(trigger, to.definition.settings.style, event);
      if (parts.length === 0) throw new FnbusError("event_not_wanted");
      return parts.map((part) => ({ ...part, to, trigger }));
    },
  };
  return {
    kinds: Object.fromEntries(httpTypes.map((type) => [type, kind])) as Record<HttpType, SourceKind>,
    statusOf: (id) => open.get(id)?.status,
    close: unwatch,
  };
}

/** Throws `event_filter_unknown`. */
function checkFilter(trigger: HttpTrigger): void {
  if (trigger.type === "obs") checkObsEvents(trigger.config.events);
  if (trigger.type === "cts") checkCtsOperations(trigger.config.operations);
}

/** Throws `function_not_found`. */
export function findFunction(registry: RegistryIndex, { space, function: target }: HttpTrigger) {
  const registered = target && registry.functionByName(space, target.name);
  if (!registered) throw new FnbusError("function_not_found", `no function ${target?.name} in ${space}`);
  return registered;
}
