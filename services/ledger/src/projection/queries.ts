import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import {
  type AttemptRecord,
  type EnvelopePlace,
  endStates,
  type GiveUp,
  type InvocationView,
  type ListFilter,
  type OutcomeRecord,
  toIdBytes,
} from "@fnbus/contract";
import { type CallbackAttempt, type CallbackEnd, type EndedRecord, toEndedView } from "./view.ts";

/** Where a page begins: strictly older than this, newest first. */
export interface Before {
  acceptedAt: number;
  id: string;
}

/** An ended invocation, and where in OUTCOMES its result's body stands (sequence 0: nowhere). */
export interface FoundInvocation {
  view: InvocationView;
  sequence: number;
  index: number;
  /** Where its envelope stands or stood; recorded synchronous calls have none. */
  place?: EnvelopePlace;
}

/** The reading half of the projection's store. */
export interface Queries {
  get(id: string): FoundInvocation | undefined;
  /** At most `filter.limit` ended invocations, newest first. Live states match nothing here. */
  list(filter: ListFilter, before: Before | undefined): InvocationView[];
  /** Newest first, before a number of an earlier page. */
  giveUps(limit: number, before: number | undefined): { number: number; giveUp: GiveUp }[];
  /** Attempts so far of one that has not ended, oldest first. */
  attempts(id: string): AttemptRecord[];
}

type Row = Record<string, SQLOutputValue>;

/** Histories are bounded by the attempts that policies allow; callbacks' by their schedule and by hand. */
const CALLBACK_ATTEMPTS_SHOWN = 100;

export function createQueries(database: DatabaseSync): Queries {
  const one = database.prepare("SELECT * FROM invocations WHERE id = ?");
  const attemptsOf = database.prepare("SELECT record FROM attempts WHERE id = ? ORDER BY attempt");
  const callbackAttemptsOf = database.prepare(
    `SELECT record FROM callback_attempts WHERE id = ? ORDER BY number DESC LIMIT ${CALLBACK_ATTEMPTS_SHOWN}`,
  );
  const giveUpsBefore = database.prepare(
    "SELECT number, record FROM give_ups WHERE number < ? ORDER BY number DESC LIMIT ?",
  );
  const parse = <T>(row: Row): T => JSON.parse(row.record as string) as T;
  const attempts = (id: Uint8Array) => attemptsOf.all(id).map((row) => parse<AttemptRecord>(row));

  const toView = (row: Row): InvocationView => {
    const id = row.id as Uint8Array;
    const record = parse<EndedRecord>(row);
    return toEndedView({
      record,
      mode: row.mode as "async" | "sync",
      bytes: row.bytes as number,
      history: record.attempts > 1 || record.lost > 0 ? attempts(id) : [],
      callbackAttempts:
        row.callback === null
          ? []
          : callbackAttemptsOf
              .all(id)
              .map((found) => parse<CallbackAttempt>(found))
              .reverse(),
      callbackEnd: row.callback === null || row.callback === "pending" ? undefined : (row.callback as CallbackEnd),
    });
  };

  return {
    get(id) {
      const row = one.get(toIdBytes(id));
      if (!row) return undefined;
      const { place } = parse<Partial<OutcomeRecord>>(row);
      return {
        view: toView(row),
        sequence: row.sequence as number,
        index: row.place as number,
        ...(place ? { place } : {}),
      };
    },
    list(filter, before) {
      const query = toQuery(filter, before);
      return query
        ? database
            .prepare(query.text)
            .all(...query.values)
            .map(toView)
        : [];
    },
    giveUps: (limit, before) =>
      giveUpsBefore
        .all(before ?? Number.MAX_SAFE_INTEGER, limit)
        .map((row) => ({ number: row.number as number, giveUp: parse<GiveUp>(row) })),
    attempts: (id) => attempts(toIdBytes(id)),
  };
}

/** Key of a row on a page: pages of ended and of unfinished invocations are merged by it. */
export const toBefore = (view: InvocationView): Before => ({ acceptedAt: view.acceptedAt, id: view.id });

export const encodeCursor = (before: Before): string => `${before.acceptedAt.toString(36)}.${before.id}`;

/** undefined: not a cursor of ours. */
export function decodeCursor(cursor: string): Before | undefined {
  const match = /^([0-9a-z]{1,11})\.([0-9a-f-]{36})$/.exec(cursor);
  return match ? { acceptedAt: Number.parseInt(match[1]!, 36), id: match[2]! } : undefined;
}

/** Whether `a` comes before `b` on a page: newer first, then the higher id. */
export const isNewer = (a: Before, b: Before): boolean =>
  a.acceptedAt > b.acceptedAt || (a.acceptedAt === b.acceptedAt && a.id > b.id);

function toQuery(filter: ListFilter, before: Before | undefined) {
  const terms = ["space = ?"];
  const values: SQLInputValue[] = [filter.space];
  const add = (term: string, ...added: SQLInputValue[]) => {
    terms.push(term);
    values.push(...added);
  };
  if (filter.function !== undefined) add("function = ?", filter.function);
  if (filter.states !== undefined) {
    const states = endStates.filter((state) => filter.states?.includes(state));
    if (states.length === 0) return undefined;
    // The literal term lets SQLite use the partial index of failures.
    if (!states.includes("succeeded")) add("state <> 'succeeded'");
    if (states.length < endStates.length) add(`state IN (${states.map(() => "?").join(", ")})`, ...states);
  }
  if (filter.since !== undefined) add("accepted_at >= ?", filter.since);
  if (filter.until !== undefined) add("accepted_at < ?", filter.until);
  if (filter.callback !== undefined) add("callback = ?", filter.callback);
  if (before) add("(accepted_at, id) < (?, ?)", before.acceptedAt, toIdBytes(before.id));
  return {
    text: `SELECT * FROM invocations WHERE ${terms.join(" AND ")} ORDER BY accepted_at DESC, id DESC LIMIT ?`,
    values: [...values, filter.limit],
  };
}
