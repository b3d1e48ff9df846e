import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ObjectStore } from "@fnbus/bus";
import { afterEach, expect, test } from "vitest";
import { createCodeCache } from "../src/out/code-cache.ts";
import { toZip } from "./zip.ts";

const folder = mkdtempSync(join(tmpdir(), "fnbus-cache-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const KB = 1024;
const codeOf = (kb: number): Buffer => toZip({ "index.js": Buffer.alloc(kb * KB) });
const archives: Record<string, Buffer> = {
  a: codeOf(100),
  b: codeOf(100),
  c: codeOf(250),
  broken: Buffer.concat([codeOf(100), Buffer.alloc(9)]),
};
const store = { get: async (name: string) => archives[name] } as unknown as ObjectStore;
const folders = () => readdirSync(folder).filter((name) => name !== "package.json");

test("code that is taken into use while other code makes room is kept, and counted once", async () => {
  const cache = createCodeCache(folder, store, 250 * KB);
  for (const object of ["a", "b"]) (await cache.acquire(object)).release();
  const c = await cache.acquire("c");
  const b = await cache.acquire("b");
  await sleep(100);
  expect(existsSync(join(b.path, "index.js"))).toBe(true);
  expect(folders()).toHaveLength(2);
  for (const one of [b, c]) one.release();
  // Over the limit again: what nobody uses goes, so the count of bytes still holds.
  (await cache.acquire("a")).release();
  await sleep(100);
  expect(folders()).toHaveLength(1);
});

test("an archive that cannot be unpacked leaves nothing on the disk (I11)", async () => {
  const cache = createCodeCache(folder, store, 250 * KB);
  await expect(cache.acquire("broken")).rejects.toMatchObject({ code: "zip_invalid" });
  expect(folders()).toEqual([]);
});
