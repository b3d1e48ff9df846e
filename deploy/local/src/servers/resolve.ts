import { homedir } from "node:os";
import type { Variables } from "@fnbus/config";
import { cacheFolderOf, type LocalConfig } from "../config.ts";
import { findServer } from "./find-server.ts";
import type { FindContext, FoundServer } from "./found.ts";
import { extraFolders, foldersOf } from "./programs.ts";
import type { WantedServer } from "./wanted.ts";

/** A server that runs already, or the program to run. */
export type ResolvedServer = { how: "given"; url: string } | FoundServer;

/** What the steps of finding a server may use on this machine. */
export const toFindContext = (
  config: LocalConfig,
  variables: Variables,
  progress: (line: string) => void,
): FindContext => ({
  searchFolders: [...foldersOf(variables.PATH), ...extraFolders(homedir())],
  toolFolders: [...foldersOf(variables.PATH), "/usr/local/go/bin"],
  cacheFolder: cacheFolderOf(config, variables),
  offline: config.FNBUS_OFFLINE,
  releaseUrl: config.FNBUS_NATS_RELEASES,
  releaseSha256: config.FNBUS_NATS_SHA256 || undefined,
  images: {
    ...(config.FNBUS_NATS_IMAGE && { nats: config.FNBUS_NATS_IMAGE }),
    ...(config.FNBUS_REDIS_IMAGE && { redis: config.FNBUS_REDIS_IMAGE }),
  },
  env: variables,
  progress,
});

/** The given URL first; where NODE_ENV is production nothing else will do. */
export async function resolveServer(
  wanted: WantedServer,
  config: LocalConfig,
  context: FindContext,
): Promise<ResolvedServer> {
  const name = wanted.kind === "nats" ? "NATS_URL" : "REDIS_URL";
  if (config[name]) return { how: "given", url: config[name] };
  if (context.env.NODE_ENV === "production")
    throw new Error(`NODE_ENV is production: set ${name}. Only on a developer's machine is a ${wanted.title} started.`);
  return findServer(wanted, context);
}
