import type {
  AccessKey,
  CodeVersion,
  FunctionDefinition,
  RegisteredFunction,
  RegisteredTrigger,
  Space,
  Trigger,
} from "@fnbus/contract";

/**
 * What exists: spaces, functions, versions of code, keys. Reads come from an index in memory that a watch feeds, so they
 * cost nothing on the hot path and survive a blip of the broker. Writes go to the broker with an expected revision.
 *
 * Keys of the REGISTRY bucket: space.<space> · function.<space>.<name> · code.<registry id>.<number>.
 * Keys of the ACCESS bucket: key.<id>. Keys of the TRIGGERS bucket: trigger.<space>.<name>.
 */
export interface RegistryIndex {
  space(name: string): Space | undefined;
  spaces(): Space[];
  functionByName(space: string, name: string): RegisteredFunction | undefined;
  functionById(registryId: string): RegisteredFunction | undefined;
  functionsOf(space: string): RegisteredFunction[];
  allFunctions(): Iterable<RegisteredFunction>;
  codeVersions(registryId: string): CodeVersion[];
  /** Resolves when the index has applied this revision of the registry bucket, or false after `timeoutMs` (L3: 5 s). */
  caughtUp(revision: number, timeoutMs: number): Promise<boolean>;
  /** Called after every applied change of a function; `undefined`: deleted. */
  onFunction(listener: (registryId: string, now: RegisteredFunction | undefined) => void): () => void;
}

export interface AccessIndex {
  keyById(id: string): AccessKey | undefined;
  keys(): AccessKey[];
}

export interface Registry extends RegistryIndex {
  /** Throws FnbusError `space_exists`. */
  createSpace(space: Space): Promise<void>;
  /** Throws `space_not_found`, `space_not_empty`. */
  deleteSpace(name: string): Promise<void>;
  /** Throws `space_not_found`, `function_exists`. */
  createFunction(definition: FunctionDefinition): Promise<RegisteredFunction>;
  /** Throws `function_not_found`, `revision_conflict`. */
  updateFunction(definition: FunctionDefinition, revision: number): Promise<RegisteredFunction>;
  /** Removes the definition and its code versions' entries; objects are swept by the caller. Throws `function_not_found`. */
  deleteFunction(space: string, name: string): Promise<FunctionDefinition>;
  addCodeVersion(registryId: string, version: CodeVersion): Promise<void>;
  stop(): void;
}

export interface AccessOptions {
  /** How often tokens that have expired are looked for, and how long after their end they are forgotten. */
  sweepEveryMs?: number;
  keepExpiredMs?: number;
}

export interface Access extends AccessIndex {
  putKey(key: AccessKey): Promise<void>;
  /** Throws `key_not_found`. */
  deleteKey(id: string): Promise<void>;
  stop(): void;
}

export interface TriggerIndex {
  triggersOf(space: string): RegisteredTrigger[];
  triggerByName(space: string, name: string): RegisteredTrigger | undefined;
  triggerById(id: string): RegisteredTrigger | undefined;
  allTriggers(): Iterable<RegisteredTrigger>;
  /** Called after every applied change; `undefined`: removed. */
  onTrigger(listener: (id: string, now: RegisteredTrigger | undefined) => void): () => void;
}

export interface Triggers extends TriggerIndex {
  /** Throws `trigger_exists`, `cron_trigger_exists`. */
  createTrigger(trigger: Trigger): Promise<RegisteredTrigger>;
  /** Space, name and id stay. Throws `revision_conflict`. */
  updateTrigger(trigger: Trigger, revision: number): Promise<RegisteredTrigger>;
  /** Throws `trigger_not_found`, `revision_conflict`. */
  deleteTrigger(space: string, name: string): Promise<Trigger>;
  stop(): void;
}
