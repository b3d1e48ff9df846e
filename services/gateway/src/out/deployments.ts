import { isBusError } from "@fnbus/bus";
import {
  type CodeVersion,
  createId,
  FnbusError,
  type FunctionDefinition,
  type FunctionSettings,
  isName,
  type RegisteredFunction,
} from "@fnbus/contract";
import type { Registry } from "@fnbus/registry";
import type { Logger } from "@fnbus/telemetry";
import { checkHandler, toEntrypoint, toPlannedEntrypoint } from "../core/handler.ts";
import { mergeSettings, type SettingsInput, toSettings } from "../core/settings.ts";
import type { Source } from "../core/source.ts";
import { createArchive, readArchive } from "./archives.ts";
import type { CodeChecks } from "./code-checks.ts";
import type { CodeStore } from "./code-store.ts";

/** A change of a function, all of it or nothing. `revision`: refuse unless it is still this one. */
export interface Change {
  settings?: SettingsInput;
  /** The settings are all that the function shall have: what is not named takes its default. */
  replace?: boolean;
  source?: Source;
  revision?: number;
}

export interface Deployed {
  function: RegisteredFunction;
  /** What may go wrong when it runs. */
  warnings: string[];
}

/** Functions made, changed and removed: the code is stored and checked first, then the definition is written. */
export interface Deployments {
  /**
   * Without code it is Pending until code is put; a handler that was not named is then read from it.
   * Throws `space_not_found`, `function_exists`, and every code of archives, handlers and settings.
   */
  create(space: string, name: string, settings: SettingsInput, source?: Source): Promise<Deployed>;
  /** Throws `function_not_found`, `revision_conflict` too. */
  change(space: string, name: string, change: Change): Promise<Deployed>;
  /** The code of an earlier version becomes the function's. Throws `version_not_found`. */
  rollback(space: string, name: string, number: number, revision?: number): Promise<Deployed>;
  remove(space: string, name: string): Promise<void>;
  versions(registered: RegisteredFunction): CodeVersion[];
  /** The archive of a version; the present one where no number is given. Throws `version_not_found`, `function_not_ready`. */
  code(registered: RegisteredFunction, number?: number): Promise<Buffer>;
  /** The one file of code that is one file, else the archive. */
  plainCode(registered: RegisteredFunction): Promise<Buffer>;
}

export interface DeploymentsOptions {
  registry: Registry;
  store: CodeStore;
  checks: CodeChecks;
  /** The partition of a new function (L2). */
  partitionOf(space: string, name: string): number;
  logger: Logger;
}

/** Tries where somebody else's change came between and the caller did not say which revision it must be. */
const UPDATE_TRIES = 5;

export function createDeployments({ registry, store, checks, partitionOf, logger }: DeploymentsOptions): Deployments {
  function find(space: string, name: string): RegisteredFunction {
    const found = registry.functionByName(space, name);
    if (!found) throw new FnbusError(registry.space(space) ? "function_not_found" : "space_not_found");
    return found;
  }

  const versions = ({ definition }: RegisteredFunction): CodeVersion[] => {
    const all = new Map(registry.codeVersions(definition.id).map((version) => [version.number, version]));
    if (definition.code) all.set(definition.code.number, definition.code);
    return [...all.values()].sort((one, other) => other.number - one.number);
  };

  async function inspect(source: Source) {
    const archive = "zip" in source ? source.zip : await createArchive(source.files);
    return { archive, files: await readArchive(archive) };
  }

  /** Stores and checks an archive, hands it on, and takes it back where anything after that fails: nothing half-created. */
  async function withCode<T>(
    id: string,
    number: number,
    archive: Buffer,
    settings: FunctionSettings,
    use: (version: CodeVersion, warnings: string[]) => Promise<T>,
  ): Promise<T> {
    const version = await store.put(id, number, archive, Date.now());
    try {
      const { runtime, style, handler, initializer, environment, isolation, pool } = settings;
      const question = { runtime, style, handler, initializer, environment, isolation, object: version.object };
      return await use(version, await checks.check(pool, question));
    } catch (error) {
      // What may have been written may name the object: then it stays.
      if (!(isBusError(error) && error.isInDoubt)) await store.drop([version.object]);
      throw error;
    }
  }

  /** The definition names the version already: a list that lacks it must not undo the deployment. */
  async function list(registryId: string, version: CodeVersion): Promise<void> {
    await registry.addCodeVersion(registryId, version).catch((error: unknown) => {
      logger.warn(
        { err: error, registryId, version: version.number },
        "a version of code is not in the list of versions",
      );
    });
  }

  async function write(
    definition: FunctionDefinition,
    revision: number,
    isNewCode: boolean,
  ): Promise<RegisteredFunction> {
    const written = await registry.updateFunction({ ...definition, updatedAt: Date.now() }, revision);
    if (isNewCode && definition.code) await list(definition.id, definition.code);
    return written;
  }

  async function changeOnce(space: string, name: string, change: Change): Promise<Deployed> {
    const found = find(space, name);
    const { definition } = found;
    const revision = change.revision ?? found.revision;
    if (revision !== found.revision)
      throw new FnbusError("revision_conflict", undefined, { details: { revision: found.revision } });
    const { runtime, handler, style } = definition.settings;
    const input = change.settings ?? {};
    const before = definition.settings;
    if (!change.source) {
      const settings = change.replace ? toSettings(input, { runtime, handler, style }) : mergeSettings(before, input);
      if (definition.code && (input.handler !== undefined || input.runtime !== undefined))
        checkHandler(settings.runtime, settings.handler, await readArchive(await code(found)));
      return { function: await write({ ...definition, settings }, revision, false), warnings: [] };
    }
    const { archive, files } = await inspect(change.source);
    const isSame = input.runtime === undefined && input.handler === undefined && handler !== "" && !change.replace;
    const entrypoint = toEntrypoint(isSame ? { runtime, handler, style } : input, files);
    const settings = change.replace
      ? toSettings(input, entrypoint)
      : mergeSettings({ ...before, ...entrypoint }, input);
    const number = (versions(found)[0]?.number ?? 0) + 1;
    return withCode(definition.id, number, archive, settings, async (version, warnings) => ({
      function: await write({ ...definition, settings, code: version, status: "Running" }, revision, true),
      warnings,
    }));
  }

  async function code(registered: RegisteredFunction, number?: number): Promise<Buffer> {
    const { code: present } = registered.definition;
    const version = number === undefined ? present : versions(registered).find((one) => one.number === number);
    if (!version) throw new FnbusError(number === undefined ? "function_not_ready" : "version_not_found");
    return store.get(version);
  }

  async function retrying(change: { revision?: number }, once: () => Promise<Deployed>): Promise<Deployed> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once();
      } catch (error) {
        const isConflict = error instanceof FnbusError && error.code === "revision_conflict";
        if (!isConflict || change.revision !== undefined || attempt >= UPDATE_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
      }
    }
  }

  return {
    versions,
    code,
    async create(space, name, input, source) {
      if (!registry.space(space)) throw new FnbusError("space_not_found");
      if (!isName(name))
        throw new FnbusError("invalid_request", "a function's name has lower-case letters, digits and hyphens");
      if (registry.functionByName(space, name)) throw new FnbusError("function_exists");
      const now = Date.now();
      const id = createId(now);
      const base = { id, space, name, partition: partitionOf(space, name), createdAt: now, updatedAt: now };
      if (!source) {
        const settings = toSettings(input, toPlannedEntrypoint(input));
        return { function: await registry.createFunction({ ...base, status: "Pending", settings }), warnings: [] };
      }
      const { archive, files } = await inspect(source);
      const settings = toSettings(input, toEntrypoint(input, files));
      return withCode(id, 1, archive, settings, async (version, warnings) => {
        const made = await registry.createFunction({ ...base, status: "Running", settings, code: version });
        await list(id, version);
        return { function: made, warnings };
      });
    },
    change: (space, name, change) => retrying(change, () => changeOnce(space, name, change)),
    rollback(space, name, number, revision) {
      const change = revision === undefined ? {} : { revision };
      return retrying(change, async () => {
        const found = find(space, name);
        const version = versions(found).find((one) => one.number === number);
        if (!version) throw new FnbusError("version_not_found");
        return {
          function: await write({ ...found.definition, code: version }, revision ?? found.revision, false),
          warnings: [],
        };
      });
    },
    async plainCode(registered) {
      const archive = await code(registered);
      const { names, readFile } = await readArchive(archive);
      return (names.length === 1 ? await readFile(names[0]!) : undefined) ?? archive;
    },
    async remove(space, name) {
      const objects = versions(find(space, name)).map(({ object }) => object);
      await registry.deleteFunction(space, name);
      await store.drop(objects);
    },
  };
}
