import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UsageError } from "../src/core/exit-codes.ts";
import { readArchive } from "../src/out/archive.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fnbus-archive-"));
  writeFileSync(join(folder, "index.js"), "exports.handler = 1;");
  mkdirSync(join(folder, "lib"));
  writeFileSync(join(folder, "lib", "a.js"), "1");
  mkdirSync(join(folder, ".git"));
  writeFileSync(join(folder, ".git", "HEAD"), "x");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a folder's top files are known however its path is written, and history is left out", async () => {
  for (const path of [folder, `${folder}/`, `./${relative(process.cwd(), folder)}`]) {
    const archive = await readArchive(path);
    expect([archive.names, archive.files]).toEqual([["index.js"], 2]);
    expect(archive.read("index.js")).toContain("handler");
  }
});

test("the same code is the same archive", async () => {
  const [one, other] = [await readArchive(folder), await readArchive(folder)];
  expect(Buffer.compare(one.bytes, other.bytes)).toBe(0);
});

test("a ZIP archive is known by the code at its top, as its folder is", async () => {
  const packed = await readArchive(folder);
  const file = join(folder, "code.zip");
  writeFileSync(file, packed.bytes);
  const archive = await readArchive(file);
  expect([archive.names, archive.files, archive.read("index.js")]).toEqual([["index.js"], 2, "exports.handler = 1;"]);
  expect(Buffer.compare(archive.bytes, packed.bytes)).toBe(0);
  writeFileSync(file, "no archive");
  await expect(readArchive(file)).rejects.toThrow(/cannot be read as a ZIP archive/);
});

test("a link is packed as what it names", async () => {
  symlinkSync(join(folder, "index.js"), join(folder, "link.js"));
  expect((await readArchive(folder)).names).toEqual(["index.js", "link.js"]);
});

test("what is not there, or empty, is told", async () => {
  await expect(readArchive(join(folder, "no"))).rejects.toThrow(UsageError);
  mkdirSync(join(folder, "empty"));
  await expect(readArchive(join(folder, "empty"))).rejects.toThrow(/has no files/);
});
