import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createId, encodeEntryPack, type FreeRecord, subjects } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../src/projection/schema.ts";
import { startExecutor } from "./peers/executor.ts";
import { ask, startTestLedger, waitForEnd } from "./peers/ledger.ts";
import { type Platform, startPlatform } from "./peers/platform.ts";
import { runLedgerCommand } from "./peers/process.ts";
import { createPublisher } from "./peers/publisher.ts";

/** Everything in the store but the numbers of its rows: the two logs are read in no order between them. */
function dump(folder: string): Record<string, unknown[]> {
  const database = openDatabase(folder, 0);
  const read = (table: string, order: string) =>
    database
      .prepare(`SELECT * FROM ${table} ORDER BY ${order}`)
      .all()
      .map(({ number: _number, ...row }) => ({ ...row }));
  const tables = {
    invocations: read("invocations", "id"),
    attempts: read("attempts", "id, attempt"),
    callbackAttempts: read("callback_attempts", "number"),
    callbackEnds: read("callback_ends", "id"),
    giveUps: read("give_ups", "number"),
    positions: read("positions", "log"),
  };
  database.close();
  return tables;
}

describe("the look-up's store", () => {
  let platform: Platform;
  let folder: string;

  beforeAll(async () => {
    platform = await startPlatform();
    folder = mkdtempSync(join(tmpdir(), "fnbus-test-"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await platform.stop();
  });

  const record = (...records: FreeRecord[]) =>
    platform.bus.append(
      subjects.records(0),
      encodeEntryPack(
        {},
        records.map((meta) => ({ meta })),
      ),
    );

  it("is the same when it is deleted and rebuilt from the logs (L29)", async () => {
    const ledger = await startTestLedger(platform, { FNBUS_EXECUTOR_LEASE_MS: "500", FNBUS_DATA_DIR: folder });
    const publisher = createPublisher(platform.bus);
    const retry = { maxAttempts: 2, firstDelayMs: 10, factor: 1, maxDelayMs: 10, jitter: 0, on: [] };
    const mixed = await platform.createFunction("mixed", { retry });
    const executor = startExecutor(platform.bus, "mixed", async ({ body, attempt }) => {
      if (body === "bad" || (body === "flaky" && attempt === 1)) throw new Error("no");
      return `${body}!`;
    });
    const callbackUrl = "http://127.0.0.1:9/hook";
    const ids = await Promise.all(
      Array.from({ length: 60 }, (_, number) =>
        publisher.accept(mixed, ["good", "bad", "flaky"][number % 3]!, number % 2 === 0 ? { callbackUrl } : {}),
      ),
    );
    await Promise.all(ids.map((id) => waitForEnd(platform, id)));
    const at = Date.now();
    const id = ids[0]!;
    await record({
      type: "callback-attempt",
      id,
      attempt: 1,
      url: callbackUrl,
      at,
      durationMs: 5,
      statusCode: 500,
      nextAt: at,
    });
    await record({ type: "callback-end", id, at, how: "delivered", attempts: 2 });
    await record({ type: "give-up", at, service: "test", what: "thing", reason: "because" });
    const call = { id: createId(), state: "failed", space: "test", function: "mixed", registryId: mixed.id } as const;
    const shown = { revision: 1, qualifier: "latest", kind: "http", source: "http", method: "GET", path: "/" } as const;
    await record({
      type: "call",
      at,
      outcome: { ...call, ...shown, attempts: 1, lost: 0, acceptedAt: at, endedAt: at, errorCode: "function_threw" },
    });
    await until("the call is shown", async () => {
      const { answer } = await ask(platform, { ask: "get", space: "test", id: call.id });
      return answer.ok && answer.answer === "invocation" && answer.invocation.mode === "sync";
    });
    const delivered = await ask(platform, { ask: "get", space: "test", id });
    expect(delivered.answer).toMatchObject({
      invocation: { callback: { state: "delivered", attempts: [{ attempt: 1, statusCode: 500 }] } },
    });
    const pending = await ask(platform, {
      ask: "list",
      filter: { space: "test", callback: "pending", limit: 100 },
    });
    expect(pending.answer).toMatchObject({ ok: true });
    if (pending.answer.ok && pending.answer.answer === "page") expect(pending.answer.invocations).toHaveLength(29);
    executor.stop();
    await publisher.close();
    await ledger.stop();

    const before = dump(folder);
    expect(before.invocations).toHaveLength(61);
    expect(before.attempts).toHaveLength(40);
    const output = runLedgerCommand(platform.url, "rebuild", { FNBUS_DATA_DIR: folder });
    expect(output).toContain("61 invocations");
    expect(dump(folder)).toEqual(before);
  });
});
