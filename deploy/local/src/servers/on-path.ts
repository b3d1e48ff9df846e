import type { FindStep } from "./found.ts";
import { findNewest } from "./programs.ts";

/** A program that is installed on this machine. */
export const onPath: FindStep = {
  name: "programs on PATH",
  find: (wanted, { searchFolders }) => findNewest(wanted, searchFolders, "PATH"),
};
