import type { RegisteredFunction, Trigger } from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";
import { createTopicTable, parseFilters, type TopicTable } from "@fnbus/sources";

/** The functions of a space by the routing keys that they ask for (options.topics, AMQP's wildcards or exact). */
export interface Routes {
  match(trigger: Trigger, routingKey: string): RegisteredFunction[];
}

export function createRoutes(registry: RegistryIndex): Routes {
  /** By space; made when it is needed, forgotten when any function changes. */
  const tables = new Map<string, TopicTable<string>>();
  registry.onFunction(() => tables.clear());
  return {
    match({ space }, routingKey) {
      let table = tables.get(space);
      if (!table) {
        const entries = registry
          .functionsOf(space)
          .flatMap(({ definition: { id, settings } }) =>
            parseFilters(settings.options.topics ?? "").map((filter) => [filter, id] as const),
          );
        table = createTopicTable(entries, "amqp");
        tables.set(space, table);
      }
      return table.match(routingKey).flatMap((id) => registry.functionById(id) ?? []);
    },
  };
}
