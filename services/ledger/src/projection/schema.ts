import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** Raised whenever a table or what is written into it changes: a store of another version is deleted and rebuilt. */
const SCHEMA_VERSION = 1;

/**
 * One row an ended invocation or recorded call, in the order in which they were read. Rows are deleted from the low end
 * of `number`, so that age needs no index of its own. What filters and pages use is a column; the rest is the record.
 */
const tables = `
  CREATE TABLE positions (log TEXT PRIMARY KEY, created_at INTEGER NOT NULL, sequence INTEGER NOT NULL) STRICT;
  CREATE TABLE invocations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    space TEXT NOT NULL,
    function TEXT NOT NULL,
    state TEXT NOT NULL,
    mode TEXT NOT NULL,
    callback TEXT,
    accepted_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    place INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX by_time ON invocations (space, accepted_at, id);
  CREATE INDEX by_function ON invocations (space, function, accepted_at, id);
  CREATE INDEX by_failure ON invocations (space, accepted_at, id) WHERE state <> 'succeeded';
  CREATE TABLE attempts (
    id BLOB NOT NULL, attempt INTEGER NOT NULL, at INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (id, attempt)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attempts_by_age ON attempts (at);
  CREATE TABLE callback_attempts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, at INTEGER NOT NULL, record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX callback_attempts_by_id ON callback_attempts (id);
  CREATE TABLE callback_ends (id BLOB PRIMARY KEY, at INTEGER NOT NULL, how TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX callback_ends_by_age ON callback_ends (at);
  CREATE TABLE give_ups (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
`;

/** Opens the store, making it anew where it is missing, damaged or of another version (L29: it can always be rebuilt). */
export function openDatabase(file: string): DatabaseSync {
  const opened = tryOpen(file);
  if (opened) return opened;
  deleteDatabase(file);
  const database = new DatabaseSync(file);
  prepare(database);
  database.exec(`BEGIN; ${tables} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  return database;
}

/** Removes the store's files. */
export function deleteDatabase(file: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
}

function tryOpen(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file);
  try {
    prepare(database);
    const version = database.prepare("PRAGMA user_version").get()?.user_version;
    if (version === SCHEMA_VERSION) return database;
  } catch {
    // Not a database, or a damaged one: the logs are the truth.
  }
  database.close();
  return undefined;
}

/** NORMAL loses the newest transactions with the power, never the file: their log entries are read again. */
function prepare(database: DatabaseSync): void {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000");
}
