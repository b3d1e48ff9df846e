import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectStore } from "@fnbus/bus";
import { FnbusError } from "@fnbus/contract";
import { unpack } from "./unpack.ts";

/** Code of one version, unpacked. In use until released. */
export interface CodeFolder {
  path: string;
  /** Its files, relative, for links. */
  files: string[];
  release(): void;
}

interface Cached {
  path: string;
  files: string[];
  bytes: number;
  users: number;
  usedAt: number;
}

/** Archives to be fetched ahead that wait; more are fetched when they are needed. */
const EXPECTED_LIMIT = 64;

/**
 * Code archives of the CODE bucket, each unpacked once. Over `maxBytes` the least recently used that nobody uses goes.
 * `acquire` throws `code_unavailable` where the object cannot be had.
 */
export function createCodeCache(folder: string, store: ObjectStore, maxBytes: number) {
  const known = new Map<string, Promise<Cached>>();
  const settled = new Map<string, Cached>();
  let bytes = 0;
  const expected: string[] = [];
  let isFetchingExpected = false;

  async function fetch(object: string): Promise<Cached> {
    const archive = await store.get(object).catch((error: unknown) => {
      throw new FnbusError("code_unavailable", "the object store does not answer", { cause: error });
    });
    if (!archive) throw new FnbusError("code_unavailable", "the code's archive is not in the object store");
    // A folder of its own each time, as an earlier one of the same code may still be on its way out. Nobody can guess its
    // name: a function without a sandbox can read whatever it can name.
    const path = join(folder, randomBytes(16).toString("hex"));
    await mkdir(path, { recursive: true });
    // Without it Node.js would look for the kind of a module in folders above, which are not the function's.
    await writeFile(join(folder, "package.json"), "{}");
    const unpacked = await unpack(archive, path).catch(async (error: unknown) => {
      await rm(path, { recursive: true, force: true });
      throw error;
    });
    const cached = { path, ...unpacked, users: 0, usedAt: performance.now() };
    settled.set(object, cached);
    bytes += cached.bytes;
    return cached;
  }

  async function evict(): Promise<void> {
    const idle = [...settled].filter(([, one]) => one.users === 0).sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [object, one] of idle) {
      if (bytes <= maxBytes) return;
      // Taken into use, or removed by another, while an earlier one was being removed.
      if (one.users > 0 || settled.get(object) !== one) continue;
      settled.delete(object);
      known.delete(object);
      bytes -= one.bytes;
      await rm(one.path, { recursive: true, force: true });
    }
  }

  function have(object: string): Promise<Cached> {
    const having = known.get(object) ?? fetch(object);
    if (!known.has(object)) {
      known.set(object, having);
      having.catch(() => known.delete(object));
    }
    return having;
  }

  /** One after the other: calls that wait for their code go first. What fails is fetched again when it is needed. */
  async function fetchExpected(): Promise<void> {
    isFetchingExpected = true;
    for (let object = expected.shift(); object !== undefined; object = expected.shift())
      await have(object)
        .then(evict)
        .catch(() => {});
    isFetchingExpected = false;
  }

  return {
    /** Fetches code that was just deployed, so that the first call need not. */
    expect(object: string): void {
      if (known.has(object) || expected.length >= EXPECTED_LIMIT) return;
      expected.push(object);
      if (!isFetchingExpected) void fetchExpected();
    },
    async acquire(object: string): Promise<CodeFolder> {
      const cached = await have(object);
      cached.users++;
      cached.usedAt = performance.now();
      if (bytes > maxBytes) void evict();
      return {
        path: cached.path,
        files: cached.files,
        release: () => {
          cached.users--;
          cached.usedAt = performance.now();
        },
      };
    },
  };
}
export type CodeCache = ReturnType<typeof createCodeCache>;
