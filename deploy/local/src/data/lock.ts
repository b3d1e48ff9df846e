import { chmodSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/**
 * At most one platform a data folder. The lock is SQLite's own lock on a file: the kernel gives it up with the process,
 * however that ends, so there is no stale lock to judge. Returns the release, or undefined where another holds it.
 */
export function takeLock(file: string): (() => void) | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    chmodSync(file, 0o600);
    database.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (/locked|busy/i.test((error as Error).message)) return undefined;
    throw error;
  }
  return () => database.close();
}
