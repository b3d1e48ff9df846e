import type { FindContext } from "../src/servers/found.ts";

/** A machine on which no way of finding a server leads anywhere. */
export const bareContext = (cacheFolder = "/nowhere"): FindContext => ({
  searchFolders: [],
  toolFolders: [],
  cacheFolder,
  offline: false,
  releaseUrl: "http://127.0.0.1:1",
  releaseSha256: undefined,
  images: {},
  env: process.env,
  progress: () => {},
});
