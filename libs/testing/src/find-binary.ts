import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Where a server program may lie: on PATH, where distributions put daemons, Go's folder, the platform's own cache. */
function* folders(): Iterable<string> {
  yield join(homedir(), "go", "bin");
  yield* (process.env.PATH ?? "").split(delimiter);
  yield* ["/usr/local/bin", "/usr/local/sbin", "/usr/sbin", "/opt/homebrew/bin"];
  yield join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "fnbus", "bin");
}

/** Every program of that name, those in Go's folder first: they are the newest. */
export function findBinaries(name: string): string[] {
  const found = new Set<string>();
  for (const folder of folders()) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      found.add(path);
    } catch {
      // Not there.
    }
  }
  return [...found];
}

/** The first of them. Throws with the name and what to do. */
export function findBinary(name: string): string {
  const [first] = findBinaries(name);
  if (first === undefined) throw new Error(`${name} was not found: install it, or put it on PATH`);
  return first;
}
