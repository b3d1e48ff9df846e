import { type Bus, isBusError } from "@fnbus/bus";
import { buckets, FnbusError, type FunctionDefinition } from "@fnbus/contract";
import { decode, encode, write } from "./entries.ts";
import { createRegistryIndex } from "./registry-index.ts";
import type { Registry } from "./types.ts";

/** How long a write waits for this process's own index, so that its caller reads what it wrote. */
const OWN_WRITE_MS = 5_000;

const spaceKey = (name: string) => `space.${name}`;
const functionKey = (space: string, name: string) => `function.${space}.${name}`;
const codeKey = (registryId: string, number: number) => `code.${registryId}.${number}`;

/** The registry of this process: reads from memory, writes to the broker. Resolves when everything present is indexed. */
export async function createRegistry(bus: Bus): Promise<Registry> {
  const bucket = await bus.keyValue(buckets.registry);
  const { apply, ...index } = createRegistryIndex();
  const watch = await bucket.watch(apply);

  const settled = async (revision: number): Promise<number> => {
    await index.caughtUp(revision, OWN_WRITE_MS);
    return revision;
  };
  const create = async (key: string, value: unknown, refusal: () => FnbusError): Promise<number> => {
    try {
      return await settled(await write(bucket.create(key, encode(value))));
    } catch (error) {
      throw isBusError(error, "exists", "wrong_sequence") ? refusal() : error;
    }
  };
  /** Asks the broker, not the index: a space that was removed a moment ago takes no function. */
  const assertSpace = async (name: string) => {
    if (!(await write(bucket.get(spaceKey(name)))))
      throw new FnbusError("space_not_found", undefined, { details: { space: name } });
  };

  return {
    ...index,
    async createSpace(space) {
      await create(spaceKey(space.name), space, () => new FnbusError("space_exists"));
    },
    async deleteSpace(name) {
      const found = await write(bucket.get(spaceKey(name)));
      if (!found) throw new FnbusError("space_not_found");
      if (index.functionsOf(name).length > 0) throw new FnbusError("space_not_empty");
      // A function that is created meanwhile either stands before the removal, and is seen now, or finds no space.
      await settled(await write(bucket.delete(spaceKey(name))));
      if (index.functionsOf(name).length === 0) return;
      await settled(await write(bucket.put(spaceKey(name), found.value)));
      throw new FnbusError("space_not_empty");
    },
    async createFunction(definition) {
      const { space, name } = definition;
      await assertSpace(space);
      const key = functionKey(space, name);
      const revision = await create(key, definition, () => new FnbusError("function_exists"));
      await assertSpace(space).catch(async (error) => {
        await write(bucket.delete(key, revision));
        throw error;
      });
      return { definition, revision };
    },
    async updateFunction(definition, revision) {
      const key = functionKey(definition.space, definition.name);
      try {
        const stored = await write(bucket.update(key, encode(definition), revision));
        return { definition, revision: await settled(stored) };
      } catch (error) {
        if (!isBusError(error, "wrong_sequence")) throw error;
        const found = await write(bucket.get(key));
        throw new FnbusError(found ? "revision_conflict" : "function_not_found");
      }
    },
    async deleteFunction(space, name) {
      const key = functionKey(space, name);
      const found = await write(bucket.get(key));
      if (!found) throw new FnbusError("function_not_found", undefined, { details: { space, function: name } });
      const definition = decode<FunctionDefinition>(found.value);
      let revision = await write(bucket.delete(key));
      for (const { number } of index.codeVersions(definition.id))
        revision = await write(bucket.delete(codeKey(definition.id, number)));
      await settled(revision);
      return definition;
    },
    async addCodeVersion(registryId, version) {
      await settled(await write(bucket.put(codeKey(registryId, version.number), encode(version))));
    },
    stop: () => watch.stop(),
  };
}
