import type { KeyValue } from "@fnbus/bus";
import type { CodeVersion, FunctionDefinition, RegisteredFunction, Space } from "@fnbus/contract";
import { decode, warnUnreadable } from "./entries.ts";
import type { RegistryIndex } from "./types.ts";

type Change = Parameters<Parameters<KeyValue["watch"]>[0]>[0];

/** The index, and the one way to change it. */
export interface WritableIndex extends RegistryIndex {
  apply(change: Change): void;
}

interface Waiter {
  revision: number;
  resolve(reached: boolean): void;
  timer: NodeJS.Timeout;
}

/** What exists, in memory, from the changes of the REGISTRY bucket in their order. */
export function createRegistryIndex(): WritableIndex {
  const spaces = new Map<string, Space>();
  /** By space, then by name. */
  const functions = new Map<string, Map<string, RegisteredFunction>>();
  const byId = new Map<string, RegisteredFunction>();
  const codes = new Map<string, Map<number, CodeVersion>>();
  const listeners = new Set<(registryId: string, now: RegisteredFunction | undefined) => void>();
  const waiters = new Set<Waiter>();
  let applied = 0;

  const tell = (registryId: string, now: RegisteredFunction | undefined) => {
    for (const listener of [...listeners]) listener(registryId, now);
  };
  const applyFunction = (space: string, name: string, now: RegisteredFunction | undefined) => {
    let names = functions.get(space);
    const before = names?.get(name);
    // Removed and made again while nobody looked: the old one's id is gone (L3).
    if (before && before.definition.id !== now?.definition.id) {
      names!.delete(name);
      byId.delete(before.definition.id);
      if (names!.size === 0) functions.delete(space);
      tell(before.definition.id, undefined);
    }
    if (!now) return;
    names = functions.get(space) ?? new Map();
    functions.set(space, names);
    names.set(name, now);
    byId.set(now.definition.id, now);
    tell(now.definition.id, now);
  };
  const applyCode = (registryId: string, number: number, version: CodeVersion | undefined) => {
    const versions = codes.get(registryId) ?? new Map<number, CodeVersion>();
    if (version) versions.set(number, version);
    else versions.delete(number);
    if (versions.size > 0) codes.set(registryId, versions);
    else codes.delete(registryId);
  };
  const applyEntry = ({ key, value, revision }: Change) => {
    const [kind, first = "", second = ""] = key.split(".");
    if (kind === "space") {
      if (value) spaces.set(first, decode<Space>(value));
      else spaces.delete(first);
    } else if (kind === "function") {
      applyFunction(first, second, value && { definition: decode<FunctionDefinition>(value), revision });
    } else if (kind === "code") {
      applyCode(first, Number(second), value && decode<CodeVersion>(value));
    }
  };

  return {
    apply(change) {
      try {
        applyEntry(change);
      } catch (error) {
        warnUnreadable(change.key, error);
      }
      applied = Math.max(applied, change.revision);
      for (const waiter of [...waiters]) if (waiter.revision <= applied) waiter.resolve(true);
    },
    space: (name) => spaces.get(name),
    spaces: () => [...spaces.values()],
    functionByName: (space, name) => functions.get(space)?.get(name),
    functionById: (registryId) => byId.get(registryId),
    functionsOf: (space) => [...(functions.get(space)?.values() ?? [])],
    allFunctions: () => byId.values(),
    codeVersions: (registryId) => [...(codes.get(registryId)?.values() ?? [])].sort((a, b) => a.number - b.number),
    caughtUp(revision, timeoutMs) {
      if (applied >= revision) return Promise.resolve(true);
      return new Promise((resolve) => {
        const settle = (reached: boolean) => {
          clearTimeout(waiter.timer);
          waiters.delete(waiter);
          resolve(reached);
        };
        const waiter: Waiter = { revision, resolve: settle, timer: setTimeout(() => settle(false), timeoutMs) };
        waiters.add(waiter);
      });
    },
    onFunction(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
