import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** `LD_LIBRARY_PATH` for a program from unpacked Debian packages: `<root>/usr/lib/<triplet>`. */
export async function libraryFolders(root: string): Promise<Record<string, string>> {
  const lib = join(root, "usr", "lib");
  const triplets = await readdir(lib).catch(() => [] as string[]);
  return triplets.length > 0 ? { LD_LIBRARY_PATH: triplets.map((name) => join(lib, name)).join(":") } : {};
}
