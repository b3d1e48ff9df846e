import type { RegisteredFunction } from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";
import { createTopicTable, parseFilters, type TopicTable } from "@fnbus/sources";
import type { MqttTrigger } from "./subscriptions.ts";

/** Which functions a topic invokes. */
export interface Routes {
  /**
   * The trigger's own function, or every function of its space whose own topics match (options.topics), as they are now.
   * undefined: the trigger's function does not exist.
   */
  functionsFor(trigger: MqttTrigger, topic: string): RegisteredFunction[] | undefined;
  stop(): void;
}

export function createRoutes(registry: RegistryIndex): Routes {
  /** By space; made when it is needed, forgotten when any function changes. */
  const tables = new Map<string, TopicTable<string>>();
  const stop = registry.onFunction(() => tables.clear());

  const tableOf = (space: string): TopicTable<string> => {
    const known = tables.get(space);
    if (known) return known;
    const table = createTopicTable(
      registry
        .functionsOf(space)
        .flatMap(({ definition: { id, settings } }) =>
          parseFilters(settings.options.topics ?? "").map((filter) => [filter, id] as const),
        ),
    );
    tables.set(space, table);
    return table;
  };

  return {
    functionsFor({ space, function: own }, topic) {
      if (own) {
        const to = registry.functionByName(space, own.name);
        return to && [to];
      }
      return tableOf(space)
        .match(topic)
        .flatMap((id) => registry.functionById(id) ?? []);
    },
    stop,
  };
}
