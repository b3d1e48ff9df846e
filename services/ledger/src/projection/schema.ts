import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Raised whenever a table or what is written into it changes: a store of another version is deleted and rebuilt. */
const SCHEMA_VERSION = 2;

/**
 * One row an ended invocation or recorded call, in the order in which they were read. Rows are deleted from the low end
 * of `number`, so that age needs no index of its own. What filters and pages use is a column; the rest is the record.
 * `callback_ends` holds those that were read before the outcome of their invocation.
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

/** Stores that processes sharing a folder may have side by side. */
const SLOTS = 16;
/** SQLite's result code where another connection holds the file. */
const SQLITE_BUSY = 5;

/** The store's file of a partition: processes that share a folder have one each. */
const toFile = (folder: string, partition: number, slot: number): string =>
  join(folder, slot === 0 ? `look-up-${partition}.sqlite` : `look-up-${partition}.${slot}.sqlite`);

/**
 * Opens the first store that no other process holds, making it anew where it is missing, damaged or of another version
 * (L29: it can always be rebuilt). `fresh`: whatever it holds.
 */
export function openDatabase(folder: string, partition: number, fresh = false): DatabaseSync {
  for (let slot = 0; slot < SLOTS; slot++) {
    const file = toFile(folder, partition, slot);
    try {
      const opened = tryOpen(file);
      if (opened && !fresh) return opened;
      opened?.close();
      return create(file);
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    }
  }
  throw new Error(`${folder}: all ${SLOTS} stores of partition ${partition} are in use`);
}

/** Removes a store and makes it empty. */
function create(file: string): DatabaseSync {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  const database = lock(file);
  database.exec(`BEGIN; ${tables} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  return database;
}

/** undefined: nothing of use, and nobody's. Throws where another process holds it. */
function tryOpen(file: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = lock(file);
    if (database.prepare("PRAGMA user_version").get()?.user_version === SCHEMA_VERSION) return database;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) throw error;
    // Not a database, or a damaged one: the logs are the truth.
  }
  database?.close();
  return undefined;
}

/**
 * Opens the file and takes its lock, which the process's end frees. NORMAL loses the newest transactions with the power,
 * never the file: their log entries are read again.
 */
function lock(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    database.exec("BEGIN IMMEDIATE; COMMIT");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
