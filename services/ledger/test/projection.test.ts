import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createId, type FreeRecord, type LedgerRecord, type OutcomeRecord } from "@fnbus/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createQueries, decodeCursor, encodeCursor, isNewer } from "../src/projection/queries.ts";
import { openDatabase } from "../src/projection/schema.ts";
import { createStore } from "../src/projection/store.ts";

const CREATED_AT = 1_700_000_000_000;
const NO_BODY = new Uint8Array(0);

const toOutcome = (extra: Partial<OutcomeRecord> = {}): OutcomeRecord => ({
  type: "outcome",
  id: createId(),
  state: "succeeded",
  space: "s",
  function: "f",
  registryId: createId(),
  revision: 1,
  qualifier: "latest",
  kind: "http",
  source: "http",
  method: "POST",
  path: "/",
  bodyHash: "",
  place: { stream: "invocations", sequence: 1, index: 0 },
  attempts: 1,
  lost: 0,
  acceptedAt: CREATED_AT,
  endedAt: CREATED_AT + 5,
  ...extra,
});

describe("the projection's store", () => {
  let folder: string;
  let database: ReturnType<typeof openDatabase>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fnbus-test-"));
    database = openDatabase(folder, 0);
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const outcomes = (sequence: number, ...records: LedgerRecord[]) =>
    createStore(database).applyOutcomes(
      [{ sequence, at: CREATED_AT, entries: records.map((meta) => ({ meta, body: NO_BODY })) }],
      CREATED_AT,
    );
  const free = (sequence: number, ...records: FreeRecord[]) =>
    createStore(database).applyRecords(
      [{ sequence, at: CREATED_AT, entries: records.map((meta) => ({ meta, body: NO_BODY })) }],
      CREATED_AT,
    );

  it("keeps its position with its rows, and none of another stream", () => {
    outcomes(7, toOutcome());
    const store = createStore(database);
    expect(store.position("outcomes", CREATED_AT)).toBe(7);
    expect(store.position("outcomes", CREATED_AT + 1)).toBeUndefined();
    expect(store.position("records", CREATED_AT)).toBe(0);
  });

  it("keeps the first outcome of an id (I3)", () => {
    const first = toOutcome();
    outcomes(1, first);
    outcomes(2, { ...first, state: "failed" });
    expect(createQueries(database).get(first.id)?.view.state).toBe("succeeded");
  });

  it("shows a callback's end whichever of the two logs is read first", () => {
    const early = toOutcome({ callbackUrl: "http://a/" });
    const late = toOutcome({ callbackUrl: "http://a/" });
    outcomes(1, late);
    for (const { id } of [early, late])
      free(id === early.id ? 1 : 2, { type: "callback-end", id, at: 1, how: "given-up", attempts: 3 });
    outcomes(2, early);
    const queries = createQueries(database);
    for (const { id } of [early, late]) expect(queries.get(id)?.view.callback?.state).toBe("given-up");
    expect(queries.list({ space: "s", callback: "given-up", limit: 10 }, undefined)).toHaveLength(2);
    expect(queries.list({ space: "s", callback: "pending", limit: 10 }, undefined)).toHaveLength(0);
  });

  it("filters by space, function, state and time, newest first, and pages without gap or double", () => {
    const made = Array.from({ length: 20 }, (_, number) =>
      toOutcome({
        function: number % 2 ? "odd" : "even",
        state: number % 5 === 0 ? "dead-lettered" : "succeeded",
        acceptedAt: CREATED_AT + Math.floor(number / 3),
      }),
    );
    outcomes(1, ...made, toOutcome({ space: "other" }));
    const queries = createQueries(database);
    const newest = made.toSorted((a, b) => (isNewer(a, b) ? -1 : 1)).map(({ id }) => id);
    const seen: string[] = [];
    let before: { acceptedAt: number; id: string } | undefined;
    for (;;) {
      const page = queries.list({ space: "s", limit: 7 }, before);
      if (page.length === 0) break;
      seen.push(...page.map(({ id }) => id));
      before = decodeCursor(encodeCursor(page.at(-1)!));
    }
    expect(seen).toEqual(newest);
    expect(queries.list({ space: "s", function: "odd", limit: 100 }, undefined)).toHaveLength(10);
    expect(queries.list({ space: "s", states: ["dead-lettered"], limit: 100 }, undefined)).toHaveLength(4);
    expect(queries.list({ space: "s", states: ["queued"], limit: 100 }, undefined)).toHaveLength(0);
    expect(queries.list({ space: "s", since: CREATED_AT + 6, limit: 100 }, undefined)).toHaveLength(2);
    expect(queries.list({ space: "s", until: CREATED_AT + 1, limit: 100 }, undefined)).toHaveLength(3);
  });

  it("lists failures by the index of failures", () => {
    const plan = database
      .prepare(
        "EXPLAIN QUERY PLAN SELECT * FROM invocations WHERE space = ? AND state <> 'succeeded' AND state IN (?) ORDER BY accepted_at DESC, id DESC LIMIT ?",
      )
      .all("s", "failed", 10);
    expect(JSON.stringify(plan)).toContain("by_failure");
  });

  it("forgets what ended before the time that it keeps, with its attempts and callbacks", () => {
    const old = toOutcome({ endedAt: CREATED_AT - 1, callbackUrl: "http://a/" });
    const young = toOutcome({ endedAt: CREATED_AT + 1 });
    outcomes(1, old, young);
    free(1, { type: "callback-end", id: old.id, at: CREATED_AT - 1, how: "delivered", attempts: 1 });
    expect(createStore(database).forgetOlder(CREATED_AT)).toBe(false);
    const queries = createQueries(database);
    expect(queries.get(old.id)).toBeUndefined();
    expect(queries.get(young.id)).toBeDefined();
    expect(database.prepare("SELECT count(*) AS rows FROM callback_ends").get()?.rows).toBe(0);
  });

  it("is made anew when its file is damaged or of another version (L29)", () => {
    outcomes(1, toOutcome());
    database.exec("PRAGMA user_version = 999");
    database.close();
    database = openDatabase(folder, 0);
    expect(createStore(database).position("outcomes", CREATED_AT)).toBe(0);
    database.close();
    writeFileSync(
      join(folder, "look-up-0.sqlite"),
      "no database at all, but longer than a header would be. ".repeat(20),
    );
    database = openDatabase(folder, 0);
    expect(createStore(database).position("outcomes", CREATED_AT)).toBe(0);
  });

  it("shows give-ups newest first", () => {
    free(1, ...["a", "b"].map((what) => ({ type: "give-up" as const, at: 1, service: "x", what, reason: "r" })));
    expect(
      createQueries(database)
        .giveUps(10, undefined)
        .map(({ giveUp }) => giveUp.what),
    ).toEqual(["b", "a"]);
  });
});
