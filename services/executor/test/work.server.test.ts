import { setTimeout as sleep } from "node:timers/promises";
import {
  type Announcement,
  buckets,
  createId,
  decodeEntryPack,
  encodeEntryPack,
  encodeFrame,
  type RegisteredFunction,
  type ResultEntry,
  type ResultsHead,
  subjects,
  type WorkEntry,
} from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Platform, startPlatform, startTestExecutor, type TestExecutor, toMeta } from "./platform.ts";

let platform: Platform;
let quick: RegisteredFunction;
let slow: RegisteredFunction;
let heard: { head: ResultsHead; meta: ResultEntry; body: string }[];
let heads: ResultsHead[];
let executor: TestExecutor;

beforeAll(async () => {
  platform = await startPlatform();
  const settings = { runtime: "nodejs", handler: "index.handler" } as const;
  quick = await platform.deploy(settings, { "index.js": "exports.handler = (e) => e;" });
  slow = await platform.deploy(settings, {
    "index.js": "exports.handler = (ms) => new Promise((r) => setTimeout(() => r('slept'), ms));",
  });
  platform.bus.subscribe(subjects.results(0), (message) => {
    const { head, entries } = decodeEntryPack<ResultsHead, ResultEntry>(Buffer.from(message.data));
    heads.push(head);
    for (const { meta, body } of entries) heard.push({ head, meta, body: Buffer.from(body).toString() });
  });
});
afterAll(() => platform.stop());

type Entries = {
  run?: { id: string; found: RegisteredFunction; body?: string; attempt?: number; leftMs?: number }[];
  cancel?: string;
  durable?: string[];
  forget?: string[];
};

/** Sends one pack as the owner of an epoch would. */
function pack(number: number, epoch: number, { run = [], cancel, durable, forget }: Entries): void {
  const entries: { meta: WorkEntry; body?: Uint8Array }[] = run.map(
    ({ id, found, body = "1", attempt = 1, leftMs = 60_000 }) => ({
      meta: { type: "run", id, attempt, leftMs },
      body: encodeFrame({ meta: toMeta(found, { id }), body: Buffer.from(body) }),
    }),
  );
  if (cancel) entries.push({ meta: { type: "cancel", id: cancel } });
  if (durable) entries.push({ meta: { type: "durable", ids: durable } });
  if (forget) entries.push({ meta: { type: "forget", ids: forget } });
  platform.bus.publish(subjects.work(executor.name), encodeEntryPack({ partition: 0, epoch, number }, entries));
}
const resultsOf = (id: string) => heard.filter(({ meta }) => meta.type === "result" && meta.id === id);
const held = async (): Promise<Announcement> => {
  const answer = await platform.bus.request(subjects.holds(executor.name), new Uint8Array(0), { timeoutMs: 2_000 });
  return JSON.parse(Buffer.from(answer.data).toString()) as Announcement;
};

describe("work of the ledger", () => {
  beforeEach(async () => {
    heard = [];
    heads = [];
    executor = await startTestExecutor(platform, { FNBUS_EXECUTOR_CAPACITY: "3" });
    return async () => {
      const ids = heard.flatMap(({ meta }) => (meta.type === "result" ? [meta.id] : []));
      if (ids.length > 0) pack(1, heads.at(-1)!.epoch + 1, { forget: ids });
      await executor.stop();
    };
  });
  test("a result is repeated every second until it is durable, then dropped (L16)", async () => {
    const id = createId();
    pack(1, 5, { run: [{ id, found: quick, body: '{"n":1}' }] });
    await until("two copies", () => resultsOf(id).length >= 2);
    expect(resultsOf(id)[0]).toMatchObject({
      body: '{"n":1}',
      head: { epoch: 5, applied: 1, executor: executor.name },
    });
    expect((await held()).partitions["0"]).toEqual({ epoch: 5, applied: 1, holds: [[id, 1]] });
    pack(2, 5, { durable: [id] });
    await until("dropped", async () => (await held()).partitions["0"]!.holds.length === 0);
    const copies = resultsOf(id).length;
    await sleep(1_300);
    expect(resultsOf(id).length).toBe(copies);
  });

  test("packs are applied in order, each once, and none of an older owner (L15, L19)", async () => {
    const [first, second, third, old] = [createId(), createId(), createId(), createId()];
    pack(1, 7, { run: [{ id: first, found: quick }] });
    pack(1, 7, { run: [{ id: third, found: quick }] });
    pack(3, 7, { run: [{ id: third, found: quick }] });
    pack(1, 6, { run: [{ id: old, found: quick }] });
    pack(2, 7, { run: [{ id: second, found: quick }] });
    await until("both", () => resultsOf(first).length > 0 && resultsOf(second).length > 0);
    expect(resultsOf(third)).toEqual([]);
    expect(resultsOf(old)).toEqual([]);
    expect(heads.at(-1)).toMatchObject({ epoch: 7, applied: 2 });
    expect(heads.every(({ epoch }) => epoch === 7)).toBe(true);
  });

  test("the epoch of the owner's lease refuses an older owner that was thawed (L19)", async () => {
    const leases = await platform.bus.keyValue(buckets.leases);
    await leases.put("ledger.0", Buffer.from(JSON.stringify({ epoch: 9 })));
    await until("the epoch is seen", async () => (await held()).partitions["0"]?.epoch === 9);
    const id = createId();
    pack(1, 8, { run: [{ id, found: quick }] });
    expect(heads).toEqual([]);
    pack(1, 9, { run: [{ id, found: quick }] });
    await until("the new one's work runs", () => resultsOf(id).length > 0);
    await leases.delete("ledger.0");
  });

  test("what is over its capacity is refused and is no attempt (L15)", async () => {
    const ids = Array.from({ length: 4 }, createId);
    pack(1, 20, { run: ids.map((id) => ({ id, found: slow, body: "400" })) });
    await until("a refusal", () => heard.some(({ meta }) => meta.type === "refused"));
    expect(heard.find(({ meta }) => meta.type === "refused")?.meta).toMatchObject({ id: ids[3], why: "full" });
    await until("the others' results", () => ids.slice(0, 3).every((id) => resultsOf(id).length > 0));
  });

  test("a running one that is cancelled is stopped, one that expires is killed (L18)", async () => {
    const [cancelled, expired] = [createId(), createId()];
    pack(1, 30, {
      run: [
        { id: cancelled, found: slow, body: "20000" },
        { id: expired, found: slow, body: "20000", leftMs: 500 },
      ],
    });
    await sleep(200);
    pack(2, 30, { cancel: cancelled });
    await until("both ended", () => resultsOf(cancelled).length > 0 && resultsOf(expired).length > 0);
    expect(resultsOf(cancelled)[0]!.meta).toMatchObject({ result: { error: { code: "cancelled" } } });
    expect(resultsOf(expired)[0]!.meta).toMatchObject({ result: { error: { code: "expired" } } });
  });

  test("a large result goes to the object store, a large request comes from there (L24)", async () => {
    const bodies = await platform.bus.objects(buckets.bodies);
    const large = JSON.stringify("x".repeat(400_000));
    const id = createId();
    await bodies.put(`0/${id}/request/1`, Buffer.from(large));
    const reference = { bucket: buckets.bodies, name: `0/${id}/request/1`, bytes: large.length };
    const frame = encodeFrame({
      meta: { ...toMeta(quick, { id }), bodyReference: reference },
      body: new Uint8Array(0),
    });
    const run: WorkEntry = { type: "run", id, attempt: 1, leftMs: 10_000 };
    platform.bus.publish(
      subjects.work(executor.name),
      encodeEntryPack({ partition: 0, epoch: 40, number: 1 }, [{ meta: run, body: frame }]),
    );
    await until("the result", () => resultsOf(id).length > 0);
    const { meta } = resultsOf(id)[0]!;
    const stored = meta.type === "result" ? meta.result.bodyReference : undefined;
    expect(stored).toMatchObject({ bucket: buckets.bodies, bytes: 400_000 });
    expect((await bodies.get(stored!.name))?.length).toBe(400_000);
  });

  test("a function that is gone is an outcome, not a crash (L3)", async () => {
    const gone = await platform.deploy({ runtime: "nodejs", handler: "index.handler" }, { "index.js": "" });
    await platform.registry.deleteFunction("default", gone.definition.name);
    const id = createId();
    pack(1, 50, { run: [{ id, found: gone }] });
    await until("the result", () => resultsOf(id).length > 0);
    expect(resultsOf(id)[0]!.meta).toMatchObject({ result: { error: { code: "function_deleted" } } });
  });
});

test("draining: what runs is finished and delivered, new work goes back, and capacity is 0 (L15)", async () => {
  [heard, heads] = [[], []];
  executor = await startTestExecutor(platform);
  await platform.call(slow, "1");
  const [running, late] = [createId(), createId()];
  pack(1, 60, { run: [{ id: running, found: slow, body: "700" }] });
  await until("it runs", async () => (await held()).partitions["0"]!.holds.length === 1);
  const stopping = executor.stop();
  await sleep(50);
  expect(await held()).toMatchObject({ draining: true, capacity: 0 });
  pack(2, 60, { run: [{ id: late, found: quick }] });
  await until("the result", () => resultsOf(running).length > 0);
  expect(resultsOf(running)[0]!.body).toBe("slept");
  expect(heard.find(({ meta }) => meta.type === "refused")?.meta).toMatchObject({ id: late, why: "draining" });
  pack(3, 60, { durable: [running] });
  await stopping;
});
