import { join } from "node:path";
import { libraryFolders } from "./debian-files.ts";
import type { FindStep } from "./found.ts";
import { findNewest } from "./programs.ts";

/** A program that an earlier start fetched. */
export const inCache: FindStep = {
  name: "our cache",
  async find(wanted, { cacheFolder }) {
    const built = await findNewest(wanted, [join(cacheFolder, "bin")], "our cache");
    if (typeof built !== "string") return built;
    const root = join(cacheFolder, "debian", wanted.kind);
    const folders = [join(root, "usr", "bin"), join(root, "usr", "sbin")];
    const unpacked = await findNewest(wanted, folders, "our cache", await libraryFolders(root));
    return typeof unpacked === "string" ? `nothing usable in ${cacheFolder}` : unpacked;
  },
};
