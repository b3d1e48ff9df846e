import type { RegistryIndex } from "@fnbus/registry";

/** Who wants to know of which functions. One listener at the registry for all. */
export interface FunctionWatch {
  /** Called after each change of whatever function has this name. */
  onName(space: string, name: string, listener: () => void): () => void;
  /** Called with the registry id after each change of a function of the space. */
  onSpace(space: string, listener: (functionId: string) => void): () => void;
  stop(): void;
}

export function createFunctionWatch(registry: RegistryIndex): FunctionWatch {
  const byName = new Map<string, Set<() => void>>();
  const bySpace = new Map<string, Set<(functionId: string) => void>>();
  /** Where a function was: all that its removal tells is its id. */
  const places = new Map<string, { space: string; name: string }>();
  const toKey = (space: string, name: string) => `${space}/${name}`;
  for (const { definition } of registry.allFunctions()) places.set(definition.id, definition);

  const stop = registry.onFunction((id, now) => {
    const place = now?.definition ?? places.get(id);
    if (now) places.set(id, { space: now.definition.space, name: now.definition.name });
    else places.delete(id);
    if (!place) return;
    for (const listener of byName.get(toKey(place.space, place.name)) ?? []) listener();
    for (const listener of bySpace.get(place.space) ?? []) listener(id);
  });
  function listen<L>(listeners: Map<string, Set<L>>, key: string, listener: L): () => void {
    const set = listeners.get(key) ?? new Set();
    listeners.set(key, set.add(listener));
    return () => {
      set.delete(listener);
      if (set.size === 0 && listeners.get(key) === set) listeners.delete(key);
    };
  }
  return {
    onName: (space, name, listener) => listen(byName, toKey(space, name), listener),
    onSpace: (space, listener) => listen(bySpace, space, listener),
    stop,
  };
}
