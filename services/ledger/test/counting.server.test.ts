import { createHash } from "node:crypto";
import { deriveId, type FunctionDefinition, toSourceHash } from "@fnbus/contract";
import { assertSilence } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExecutorPeer, startExecutor } from "./peers/executor.ts";
import { ask, startTestLedger, type TestLedger, waitForEnd } from "./peers/ledger.ts";
import { type Platform, startPlatform } from "./peers/platform.ts";
import { createPublisher, type Publisher } from "./peers/publisher.ts";

const INCARNATION = "018f0000-0000-7000-8000-0000000000aa";
/** Batches that a ledger has to read before it knows the mark. */
const BACKLOG = 10_000;
/** Times that a question races with the reading of what was just acknowledged. */
const ROUNDS = 200;

describe("a source that counts", () => {
  const silence = assertSilence();
  let platform: Platform;
  let ledger: TestLedger;
  let publisher: Publisher;
  let executor: ExecutorPeer;
  let target: FunctionDefinition;
  const startLedger = () =>
    startTestLedger(platform, { FNBUS_EXECUTOR_LEASE_MS: "500", FNBUS_LEDGER_LEASE_MS: "1000" });

  beforeAll(async () => {
    platform = await startPlatform();
    ledger = await startLedger();
    publisher = createPublisher(platform.bus);
    target = await platform.createFunction("counted");
    executor = startExecutor(platform.bus, "counted", async () => "done");
    // From here on there is an owner, which judges every pack when it reads it.
    await publisher.acceptJudged(target, "first");
  });
  afterAll(async () => {
    executor.stop();
    await publisher.close();
    await ledger.stop();
    await platform.stop();
    silence.assert();
  });

  const sourceOf = (counts: string) => toSourceHash(INCARNATION, target.id, counts).toString("hex");
  const batch = (source: string, first: number, last: number) =>
    ({ kind: "event", source: "kafka", trigger: "t", position: { source, first, last } }) as const;
  async function marksOf(sources: string[]) {
    const { answer } = await ask(platform, { ask: "marks", sources });
    return answer.ok && answer.answer === "marks" ? answer.marks : answer;
  }

  it("learns its marks from the ledger, null where none is kept (L10)", async () => {
    const [source, other] = [sourceOf("topic/0"), sourceOf("topic/1")];
    expect(await publisher.acceptJudged(target, "", batch(source, 0, 99))).toMatchObject({ verdict: "new" });
    expect(await marksOf([other, source])).toEqual([null, 99]);
    expect(await marksOf(["not a hash"])).toMatchObject({ ok: false, code: "invalid_request" });
  });

  it("is told a mark that covers what was acknowledged before it asked (L29)", async () => {
    const source = sourceOf("topic/3");
    for (let nth = 0; nth < ROUNDS; nth++) {
      await publisher.accept(target, "", batch(source, nth, nth));
      expect(await marksOf([source])).toEqual([nth]);
    }
  });

  it("is refused a batch across its mark, and goes on from the mark: every record runs once (L10, L11)", async () => {
    const source = sourceOf("topic/4");
    const judged = async (first: number, last: number) => {
      const sent = batch(source, first, last);
      const verdict = await publisher.acceptJudged(target, `${first}-${last}`, sent);
      return { verdict, id: verdict.id };
    };
    const kept = await judged(0, 9);
    expect(kept.verdict).toMatchObject({ verdict: "new" });
    expect((await judged(5, 9)).verdict).toMatchObject({ verdict: "known", state: "dropped" });
    const refused = await judged(5, 14);
    expect(refused.verdict).toMatchObject({ verdict: "refused", mark: 9, errorCode: "position_refused" });
    const again = await judged(10, 14);
    expect(again.verdict).toMatchObject({ verdict: "new" });
    for (const { id } of [kept, again]) expect(await waitForEnd(platform, id)).toMatchObject({ state: "succeeded" });
    const unknown = await ask(platform, { ask: "get", space: "test", id: refused.id });
    expect(unknown.answer).toMatchObject({ ok: false, code: "invocation_not_found" });
    expect(executor.started.filter(({ id }) => id === refused.id)).toEqual([]);
    expect(await marksOf([source])).toEqual([14]);
  });

  it("that ticks ahead of the broker's time is refused by its own code (L10)", async () => {
    const source = sourceOf("schedule");
    const at = Date.now() + 120_000;
    const tick = { ...batch(source, at, at), source: "timer" } as const;
    const verdict = await publisher.acceptJudged(target, "", tick);
    expect(verdict).toMatchObject({ verdict: "refused", mark: -1, errorCode: "tick_ahead" });
    expect(await marksOf([source])).toEqual([null]);
  });

  it("and skips, leaves a tick that overlaps cancelled in the look-up, its mark moved (L13)", async () => {
    const slow = await platform.createFunction("slow");
    const { promise, resolve } = Promise.withResolvers<string>();
    const slowExecutor = startExecutor(platform.bus, "slow", () => promise);
    const source = toSourceHash(INCARNATION, slow.id, "* * * * *").toString("hex");
    const begun = Date.now() - 10_000;
    const tick = async (nth: number, overlap: "skip" | "queue-one") => {
      const at = begun + nth * 1_000;
      const sent = { ...batch(source, at, at), source: "timer" } as const;
      return (await publisher.acceptJudged(slow, "", sent, { overlap })).id;
    };
    const [first, skipped, waiting] = [await tick(1, "skip"), await tick(2, "skip"), await tick(3, "queue-one")];
    expect(await waitForEnd(platform, skipped!)).toMatchObject({
      ...{ state: "cancelled", errorCode: "overlap_skipped", attempts: 0 },
    });
    expect(await marksOf([source])).toEqual([begun + 3_000]);
    expect(slowExecutor.started.map(({ id }) => id)).toEqual([first]);
    const { answer } = await ask(platform, { ask: "get", space: "test", id: waiting! });
    expect(answer).toMatchObject({ invocation: { state: "queued" } });
    resolve("done");
    expect(await waitForEnd(platform, waiting!)).toMatchObject({ state: "succeeded" });
    expect(slowExecutor.started.map(({ id }) => id)).toEqual([first, waiting]);
    slowExecutor.stop();
  });

  it("or names its events, runs each once, whoever repeats it and whether it asks or not (L9, L11)", async () => {
    const id = deriveId("event", INCARNATION, target.id, "bucket/key#0055");
    const bodyHash = createHash("sha256").update("put").digest();
    const event = { id, kind: "event", source: "obs", trigger: "t" } as const;
    await publisher.accept(target, "put", event, { named: true, bodyHash });
    await publisher.accept(target, "put", event, { named: true, bodyHash });
    const repeat = () => publisher.acceptJudged(target, "put", event, { named: true, bodyHash });
    expect(await repeat()).toMatchObject({ id, verdict: "known" });
    await waitForEnd(platform, id);
    expect(await repeat()).toMatchObject({ id, verdict: "known", state: "succeeded" });
    expect(executor.started.filter((run) => run.id === id)).toHaveLength(1);
  });

  it("is told by an owner that has just started what the logs say to their ends (L10, L29)", async () => {
    const source = sourceOf("topic/2");
    await ledger.stop();
    const published = Array.from({ length: BACKLOG }, (_, nth) =>
      publisher.accept(target, "", batch(source, nth, nth)),
    );
    await Promise.all(published);
    ledger = await startLedger();
    expect(await marksOf([source])).toEqual([BACKLOG - 1]);
  });
});
