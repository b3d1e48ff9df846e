import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startExecutor } from "./peers/executor.ts";
import { ask, startTestLedger, type TestLedger, waitForEnd } from "./peers/ledger.ts";
import { type Platform, startPlatform } from "./peers/platform.ts";
import { createPublisher, type Publisher } from "./peers/publisher.ts";

describe("the asynchronous path", () => {
  let platform: Platform;
  let ledger: TestLedger;
  let publisher: Publisher;

  beforeAll(async () => {
    platform = await startPlatform();
    ledger = await startTestLedger(platform);
    publisher = createPublisher(platform.bus);
  });
  afterAll(async () => {
    await publisher.close();
    await ledger.stop();
    await platform.stop();
  });

  it("an accepted invocation runs once and ends in one durable outcome that the look-up shows (I3)", async () => {
    const echo = await platform.createFunction("echo");
    const executor = startExecutor(platform.bus, async ({ body }) => `echo ${body}`);
    const id = await publisher.accept(echo, "hello", { path: "/a/b", callId: "mine" });
    const ended = await waitForEnd(platform, id);
    expect(ended).toMatchObject({ id, state: "succeeded", path: "/a/b", callId: "mine", attempts: 1, lost: 0 });
    expect(executor.started).toEqual([{ id, attempt: 1 }]);
    const { answer, body } = await ask(platform, { ask: "result", space: "test", id });
    expect(answer).toMatchObject({ ok: true, answer: "result", statusCode: 200 });
    expect(Buffer.from(body).toString("utf8")).toBe("echo hello");
    executor.stop();
  });
});
