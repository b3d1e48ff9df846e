import type { DatabaseSync } from "node:sqlite";
import { type Entry, type FreeRecord, type LedgerRecord, type OutcomeRecord, toIdBytes } from "@fnbus/contract";
import type { EndedRecord } from "./view.ts";

export type LogName = "outcomes" | "records";

/** One message of a log, decoded. */
export interface LogPack<R> {
  sequence: number;
  at: number;
  entries: Entry<R>[];
}

/** The writing half of the projection's store. Each `apply` is one transaction that carries its log position (L29). */
export interface Store {
  /** Last sequence applied, 0 where nothing was; undefined: the store follows a stream of another creation time. */
  position(log: LogName, createdAt: number): number | undefined;
  applyOutcomes(packs: LogPack<LedgerRecord>[], createdAt: number): void;
  applyRecords(packs: LogPack<FreeRecord>[], createdAt: number): void;
  /** Forgets a bounded number of what ended before `before` (ms since 1970); whether there may be more. */
  forgetOlder(before: number): boolean;
}

/** Rows deleted in one transaction: a few milliseconds of the worker's time. */
const FORGET_AT_ONCE = 1000;

export function createStore(database: DatabaseSync): Store {
  const sql = (text: string) => database.prepare(text);
  const readPosition = sql("SELECT created_at, sequence FROM positions WHERE log = ?");
  const writePosition = sql("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)");
  // The first outcome stands (I3), in whatever order a rebuilt store meets them.
  const insertInvocation = sql(
    `INSERT OR IGNORE INTO invocations
       (id, space, function, state, mode, callback, accepted_at, ended_at, sequence, place, bytes, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertAttempt = sql("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?)");
  const insertCallbackAttempt = sql("INSERT INTO callback_attempts (id, at, record) VALUES (?, ?, ?)");
  const insertCallbackEnd = sql("INSERT OR REPLACE INTO callback_ends VALUES (?, ?, ?)");
  const readCallbackEnd = sql("SELECT how FROM callback_ends WHERE id = ?");
  const dropCallbackEnd = sql("DELETE FROM callback_ends WHERE id = ?");
  const updateCallback = sql("UPDATE invocations SET callback = ? WHERE id = ? AND callback IS NOT NULL");
  const insertGiveUp = sql("INSERT INTO give_ups (at, record) VALUES (?, ?)");

  const transact = <T>(work: () => T): T => {
    database.exec("BEGIN IMMEDIATE");
    try {
      const value = work();
      database.exec("COMMIT");
      return value;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  };

  function insert(
    record: EndedRecord,
    mode: string,
    at: { sequence: number; index: number; bytes: number },
    json: string,
  ) {
    const id = toIdBytes(record.id);
    const ended = record.callbackUrl === undefined ? undefined : readCallbackEnd.get(id);
    if (ended) dropCallbackEnd.run(id);
    const callback = record.callbackUrl === undefined ? null : ((ended?.how as string | undefined) ?? "pending");
    insertInvocation.run(
      id,
      record.space,
      record.function,
      record.state,
      mode,
      callback,
      record.acceptedAt,
      record.endedAt,
      at.sequence,
      at.index,
      at.bytes,
      json,
    );
  }

  function applyLedgerRecord({ meta, body }: Entry<LedgerRecord>, sequence: number, index: number, at: number): void {
    if (meta.type === "outcome") {
      const { type: _type, ...kept }: OutcomeRecord = meta;
      insert(meta, "async", { sequence, index, bytes: body.length }, JSON.stringify(kept));
    } else if (meta.type === "attempt") {
      insertAttempt.run(toIdBytes(meta.id), meta.attempt, at, JSON.stringify(meta));
    }
  }

  function applyFreeRecord(record: FreeRecord): void {
    switch (record.type) {
      case "callback-attempt":
        insertCallbackAttempt.run(toIdBytes(record.id), record.at, JSON.stringify(record));
        break;
      case "callback-end": {
        const id = toIdBytes(record.id);
        // The two logs are read in no order between them: an end whose outcome is not here yet waits for it.
        if (updateCallback.run(record.how, id).changes === 0) insertCallbackEnd.run(id, record.at, record.how);
        break;
      }
      case "call":
        insert(record.outcome, "sync", { sequence: 0, index: 0, bytes: 0 }, JSON.stringify(record.outcome));
        break;
      case "give-up":
        insertGiveUp.run(record.at, JSON.stringify(record));
        break;
    }
  }

  const apply = <R>(
    log: LogName,
    packs: LogPack<R>[],
    createdAt: number,
    one: (entry: Entry<R>, sequence: number, index: number, at: number) => void,
  ) => {
    const last = packs.at(-1);
    if (!last) return;
    transact(() => {
      for (const { entries, sequence, at } of packs) {
        for (const [index, entry] of entries.entries()) one(entry, sequence, index, at);
      }
      writePosition.run(log, createdAt, last.sequence);
    });
  };

  const forget = [
    `DELETE FROM attempts WHERE (id, attempt) IN (SELECT id, attempt FROM attempts WHERE at < ? LIMIT ${FORGET_AT_ONCE})`,
    `DELETE FROM callback_ends WHERE id IN (SELECT id FROM callback_ends WHERE at < ? LIMIT ${FORGET_AT_ONCE})`,
    ...["callback_attempts", "give_ups"].map((table) => forgetFrom(table, "at")),
    forgetFrom("invocations", "ended_at"),
  ].map(sql);

  return {
    position(log, createdAt) {
      const row = readPosition.get(log);
      if (!row) return 0;
      return row.created_at === createdAt ? Number(row.sequence) : undefined;
    },
    applyOutcomes: (packs, createdAt) => apply("outcomes", packs, createdAt, applyLedgerRecord),
    applyRecords: (packs, createdAt) => apply("records", packs, createdAt, (entry) => applyFreeRecord(entry.meta)),
    forgetOlder: (before) =>
      transact(() =>
        forget.map((statement) => statement.run(before).changes).some((changes) => changes === FORGET_AT_ONCE),
      ),
  };
}

/** Rows stand in the order of their reading, so the oldest are the first; one that is young among them waits its turn. */
const forgetFrom = (table: string, time: string): string =>
  `DELETE FROM ${table} WHERE ${time} < ? AND number IN (SELECT number FROM ${table} ORDER BY number LIMIT ${FORGET_AT_ONCE})`;
