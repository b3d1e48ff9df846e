import { mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createId, type OutcomeRecord } from "@fnbus/contract";
import { createQueries } from "../src/projection/queries.ts";
import { openDatabase } from "../src/projection/schema.ts";
import { createStore } from "../src/projection/store.ts";

/** The look-up's store alone: rows written, looked up and listed a second. Prints JSON and a table. */
const ROWS = 200_000;
const PACK = 256;

const folder = mkdtempSync(join(tmpdir(), "fnbus-bench-"));
const database = openDatabase(folder, 0);
const store = createStore(database);
const registryId = createId();
const ids: string[] = [];
const toRecord = (number: number): OutcomeRecord => {
  const id = createId();
  ids.push(id);
  return {
    type: "outcome",
    id,
    state: number % 100 === 0 ? "failed" : "succeeded",
    space: "default",
    function: `function-${number % 50}`,
    registryId,
    revision: 1,
    qualifier: "latest",
    kind: "http",
    source: "http",
    method: "POST",
    path: "/",
    bodyHash: "0".repeat(32),
    place: { stream: "invocations", sequence: number, index: 0 },
    attempts: 1,
    lost: 0,
    acceptedAt: Date.now(),
    endedAt: Date.now(),
    result: {
      statusCode: 200,
      headers: [["content-type", "application/json"]],
      startedAt: 1,
      durationMs: 1,
      cold: false,
      executor: "e",
    },
  };
};
const timed = (work: () => void): number => {
  const begun = performance.now();
  work();
  return performance.now() - begun;
};

const body = new Uint8Array(0);
const writeMs = timed(() => {
  for (let done = 0; done < ROWS; done += PACK) {
    const entries = Array.from({ length: PACK }, (_, index) => ({ meta: toRecord(done + index), body }));
    store.applyOutcomes([{ sequence: done / PACK + 1, at: 1, entries }], 1);
  }
});
const queries = createQueries(database);
const LOOKS = 20_000;
const lookMs = timed(() => {
  for (let number = 0; number < LOOKS; number++) queries.get(ids[(number * 7919) % ids.length]!);
});
const PAGES = 200;
const pageMs = timed(() => {
  for (let number = 0; number < PAGES; number++)
    queries.list({ space: "default", function: `function-${number % 50}`, states: ["failed"], limit: 50 }, undefined);
});
const bytes = statSync(join(folder, "look-up-0.sqlite")).size;
database.close();
rmSync(folder, { recursive: true, force: true });
const found = {
  rows: ids.length,
  cpus: cpus().length,
  node: process.version,
  rowsWrittenPerSecond: Math.round((ids.length / writeMs) * 1000),
  bytesPerRow: Math.round(bytes / ids.length),
  lookUpsPerSecond: Math.round((LOOKS / lookMs) * 1000),
  pageMs: Number((pageMs / PAGES).toFixed(2)),
};
process.stdout.write(`${JSON.stringify(found)}\n`);
for (const [name, value] of Object.entries(found)) process.stdout.write(`${name.padEnd(24)} ${value}\n`);
