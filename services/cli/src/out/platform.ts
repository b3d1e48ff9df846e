import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { CliConfig } from "../config.ts";

export interface PlatformAddress {
  url: string;
  apiKey: string | undefined;
  /** For a person: where it was found. */
  from: string;
}

const DEFAULT_URL = "http://127.0.0.1:8080";

/**
 * Where the platform is: FNBUS_URL and FNBUS_API_KEY, else a platform of `npm start` whose data folder is `.fnbus` here or
 * in a folder above, else the newest that this user started, else the usual address.
 */
export function findPlatform(config: CliConfig, folder: string): PlatformAddress {
  const local = findLocal(config, folder);
  const url = config.url ?? local?.url ?? DEFAULT_URL;
  // The key of a local platform is never sent to another address.
  const apiKey = config.apiKey ?? (local?.url === url ? readText(local.adminKeyFile) : undefined);
  return { url, apiKey, from: config.url ? "FNBUS_URL" : (local?.dataFolder ?? "default") };
}

interface PlatformFile {
  url: string;
  adminKeyFile: string;
  dataFolder: string;
}

function findLocal(config: CliConfig, folder: string): PlatformFile | undefined {
  if (config.dataFolder) return readPlatform(resolve(folder, config.dataFolder));
  for (let at = resolve(folder); ; at = dirname(at)) {
    const found = readPlatform(join(at, ".fnbus"));
    if (found) return found;
    if (dirname(at) === at) break;
  }
  const newest = readText(join(config.stateFolder, "platform"));
  return newest ? readPlatform(newest) : undefined;
}

function readPlatform(dataFolder: string): PlatformFile | undefined {
  const text = readText(join(dataFolder, "platform.json"));
  try {
    return text === undefined ? undefined : (JSON.parse(text) as PlatformFile);
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
