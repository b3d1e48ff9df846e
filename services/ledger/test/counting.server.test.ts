import { type FunctionDefinition, toSourceHash } from "@fnbus/contract";
import { assertSilence } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExecutorPeer, startExecutor } from "./peers/executor.ts";
import { ask, startTestLedger, type TestLedger } from "./peers/ledger.ts";
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
