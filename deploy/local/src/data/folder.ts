import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { takeLock } from "./lock.ts";

/** Everything that one platform on this machine keeps, readable by its owner alone. */
export interface DataFolder {
  path: string;
  /** A folder below, made when it is missing. */
  folder(name: string): string;
  /** A secret that is made once and kept in a file of mode 0600. */
  secret(name: string, make?: () => string): { file: string; value: string };
  /** A small JSON file, written whole or not at all. */
  readJson<T>(name: string): T | undefined;
  writeJson(name: string, value: unknown): void;
  remove(name: string): void;
  release(): void;
}

const newSecret = () => randomBytes(32).toString("base64url");

/** Opens and locks the folder. Throws where another platform has it. */
export function openDataFolder(given: string): DataFolder {
  const path = resolve(given);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  const readJson = <T>(name: string): T | undefined => {
    try {
      return JSON.parse(readFileSync(join(path, name), "utf8")) as T;
    } catch {
      return undefined;
    }
  };
  const release = takeLock(join(path, "lock"));
  if (!release) {
    const other = readJson<{ pid?: number; url?: string }>("platform.json");
    throw new Error(
      `Another platform runs on ${path}${other?.url ? ` (${other.url}, process ${other.pid})` : ""}. ` +
        "Stop it, or choose another folder: npm start -- --data <folder>",
    );
  }
  const writePrivate = (file: string, text: string) => {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  return {
    path,
    folder(name) {
      const folder = join(path, name);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return folder;
    },
    secret(name, make = newSecret) {
      const file = join(path, name);
      if (!existsSync(file)) writePrivate(file, `${make()}\n`);
      return { file, value: readFileSync(file, "utf8").trim() };
    },
    readJson,
    writeJson: (name, value) => writePrivate(join(path, name), `${JSON.stringify(value, null, 2)}\n`),
    remove: (name) => rmSync(join(path, name), { force: true }),
    release,
  };
}
