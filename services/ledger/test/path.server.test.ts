import { deriveId, subjects } from "@fnbus/contract";
import { assertSilence, until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startExecutor } from "./peers/executor.ts";
import { ask, startTestLedger, type TestLedger, waitForEnd } from "./peers/ledger.ts";
import { type Platform, startPlatform } from "./peers/platform.ts";
import { createPublisher, type Publisher } from "./peers/publisher.ts";

const retry = { maxAttempts: 3, firstDelayMs: 50, factor: 1, maxDelayMs: 50, jitter: 0, on: [] };

describe("the asynchronous path", () => {
  const silence = assertSilence();
  let platform: Platform;
  let ledger: TestLedger;
  let publisher: Publisher;

  beforeAll(async () => {
    platform = await startPlatform();
    ledger = await startTestLedger(platform, { FNBUS_EXECUTOR_LEASE_MS: "1000" });
    publisher = createPublisher(platform.bus);
  });
  afterAll(async () => {
    await publisher.close();
    await ledger.stop();
    await platform.stop();
    silence.assert();
  });

  it("an accepted invocation runs once and ends in one durable outcome that the look-up shows (I3)", async () => {
    const echo = await platform.createFunction("echo");
    const executor = startExecutor(platform.bus, "echo", async ({ body }) => `echo ${body}`);
    const id = await publisher.accept(echo, "hello", { path: "/a/b", callId: "mine" });
    const ended = await waitForEnd(platform, id);
    expect(ended).toMatchObject({ id, state: "succeeded", path: "/a/b", callId: "mine", attempts: 1, lost: 0 });
    expect(executor.started).toEqual([{ id, attempt: 1 }]);
    const { answer, body } = await ask(platform, { ask: "result", space: "test", id });
    expect(answer).toMatchObject({ ok: true, answer: "result", statusCode: 200 });
    expect(Buffer.from(body).toString("utf8")).toBe("echo hello");
    executor.stop();
  });

  it("an invocation of another space is not found, nor is one that never was (L29)", async () => {
    const echo = await platform.createFunction("elsewhere");
    const executor = startExecutor(platform.bus, "elsewhere", async () => "");
    const id = await publisher.accept(echo, "");
    await waitForEnd(platform, id);
    for (const question of [
      { ask: "get", space: "other", id },
      { ask: "get", space: "test", id: "01890000-0000-7000-8000-000000000000" },
    ] as const) {
      const { answer } = await ask(platform, question);
      expect(answer).toMatchObject({ ok: false, code: "invocation_not_found" });
    }
    executor.stop();
  });

  it("a failed attempt is tried again as the policy says, and a dead letter when its tries are used up (I3)", async () => {
    const flaky = await platform.createFunction("flaky", { retry });
    const executor = startExecutor(platform.bus, "flaky", async ({ attempt, body }) => {
      if (attempt < 3 || body === "always") throw new Error(`attempt ${attempt}`);
      return "at last";
    });
    const [good, bad] = await Promise.all([publisher.accept(flaky, "once"), publisher.accept(flaky, "always")]);
    const recovered = await waitForEnd(platform, good!);
    expect(recovered).toMatchObject({ state: "succeeded", attempts: 3, lost: 0 });
    expect(recovered.history.map(({ how, message }) => [how, message])).toEqual([
      ["failed", "attempt 1"],
      ["failed", "attempt 2"],
    ]);
    expect(await waitForEnd(platform, bad!)).toMatchObject({ state: "dead-lettered", errorCode: "function_threw" });
    executor.stop();
  });

  it("a redrive gives the dead letter's envelope and the same number until it was accepted (L12)", async () => {
    const broken = await platform.createFunction("broken", { retry: { ...retry, maxAttempts: 2 } });
    const executor = startExecutor(platform.bus, "broken", async () => {
      throw new Error("always");
    });
    const id = await publisher.accept(broken, "the body");
    expect(await waitForEnd(platform, id)).toMatchObject({ state: "dead-lettered" });
    const question = { ask: "redrive", space: "test", id } as const;
    const first = await ask(platform, question);
    expect(first.answer).toMatchObject({ ok: true, answer: "envelope", n: 1 });
    expect(Buffer.from(first.body).includes("the body")).toBe(true);
    expect((await ask(platform, question)).answer).toMatchObject({ n: 1 });
    await publisher.accept(broken, "the body", {
      id: deriveId("redrive", id, "1"),
      source: "redrive",
      redriveOf: id,
    });
    expect(await waitForEnd(platform, deriveId("redrive", id, "1"))).toMatchObject({ redriveOf: id });
    expect((await ask(platform, question)).answer).toMatchObject({ n: 2 });
    executor.stop();
  });

  it("a key is one invocation: its repeat is known, another body a conflict, and it runs once (I2, L11)", async () => {
    const keyed = await platform.createFunction("keyed");
    const executor = startExecutor(platform.bus, "keyed", async () => "done");
    expect(await publisher.acceptKeyed(keyed, "k1", "body")).toMatchObject({ verdict: "new" });
    expect(await publisher.acceptKeyed(keyed, "k1", "body")).toMatchObject({ verdict: "known" });
    const conflict = await publisher.acceptKeyed(keyed, "k1", "another");
    expect(conflict).toMatchObject({ verdict: "conflict" });
    await waitForEnd(platform, conflict.id);
    expect(await publisher.acceptKeyed(keyed, "k1", "body")).toEqual({
      id: conflict.id,
      verdict: "known",
      state: "succeeded",
    });
    expect(executor.started.filter(({ id }) => id === conflict.id)).toHaveLength(1);
    executor.stop();
  });

  it("an executor that falls silent is a lost attempt, and another runs it whatever the policy says (L17)", async () => {
    const slow = await platform.createFunction("slow");
    const never = new Promise<string>(() => {});
    const first = startExecutor(platform.bus, "slow", () => never);
    const id = await publisher.accept(slow, "");
    await until("the first executor runs it", () => first.started.length === 1);
    first.silence();
    const second = startExecutor(platform.bus, "slow", async () => "done");
    const ended = await waitForEnd(platform, id);
    expect(ended).toMatchObject({ state: "succeeded", attempts: 2, lost: 1 });
    expect(ended.history).toMatchObject([{ how: "lost", executor: first.name, errorCode: "executor_lost" }]);
    expect(second.started).toEqual([{ id, attempt: 2 }]);
    first.stop();
    second.stop();
  });

  it("a queued invocation is cancelled at once, a running one is stopped, an ended one refuses (L18)", async () => {
    const single = await platform.createFunction("single", {
      concurrency: { limit: 1, perInstance: 1, prestart: 0 },
    });
    const never = new Promise<string>(() => {});
    const executor = startExecutor(platform.bus, "single", () => never);
    const running = await publisher.accept(single, "1");
    await until("it runs", () => executor.started.length === 1);
    const queued = await publisher.accept(single, "2");
    expect((await ask(platform, { ask: "get", space: "test", id: queued })).answer).toMatchObject({
      invocation: { state: "queued", function: "single" },
    });
    const cancel = (id: string) => ask(platform, { ask: "cancel", space: "test", id });
    expect((await cancel(queued)).answer).toMatchObject({ ok: true, answer: "cancelled", state: "cancelled" });
    expect((await cancel(running)).answer).toMatchObject({ ok: true, answer: "cancelled" });
    await until("the executor is told", () => executor.cancelled.includes(running));
    expect(await waitForEnd(platform, running)).toMatchObject({ state: "cancelled" });
    expect((await cancel(queued)).answer).toMatchObject({ ok: false, code: "invocation_ended" });
    expect(executor.started.map(({ id }) => id)).toEqual([running]);
    executor.stop();
  });

  it("pages show unfinished and ended invocations newest first, each once", async () => {
    const listed = await platform.createFunction("listed");
    const ids: string[] = [];
    const executor = startExecutor(platform.bus, "listed", async () => "done");
    for (let number = 0; number < 5; number++) ids.unshift(await publisher.accept(listed, String(number)));
    await Promise.all(ids.map((id) => waitForEnd(platform, id)));
    executor.stop();
    for (let number = 5; number < 8; number++) ids.unshift(await publisher.accept(listed, String(number)));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { answer } = await ask(platform, {
        ask: "list",
        filter: { space: "test", function: "listed", limit: 3, ...(cursor ? { cursor } : {}) },
      });
      if (!answer.ok || answer.answer !== "page") throw new Error(JSON.stringify(answer));
      seen.push(...answer.invocations.map(({ id }) => id));
      cursor = answer.next;
    } while (cursor);
    expect(seen).toEqual(ids);
    const failures = await ask(platform, { ask: "list", filter: { space: "test", states: ["failed"], limit: 10 } });
    expect(failures.answer).toMatchObject({ ok: true, invocations: [] });
  });

  it("everything accepted is unfinished or ended, and the metric says so (I8)", async () => {
    const { answer } = await ask(platform, { ask: "totals" });
    if (!answer.ok || answer.answer !== "totals") throw new Error(JSON.stringify(answer));
    const ended = Object.values(answer.ended).reduce((sum, count) => sum + count, 0);
    expect(answer.accepted).toBe(answer.unfinished + ended);
    expect(await ledger.metrics.scrape()).toMatch(/fnbus_ledger_conservation\{partition="0"[^}]*\} 0\n/);
  });

  it("a damaged message is passed over and listed as given up (I6)", async () => {
    await platform.bus.append(subjects.invocations(0), Buffer.from("no pack"));
    await until("it is listed", async () => {
      const { answer } = await ask(platform, { ask: "give-ups", limit: 1 });
      return answer.ok && answer.answer === "give-ups" && answer.giveUps[0]?.what === "message";
    });
  });

  it("a damaged message on OUTCOMES is passed over too: the owner goes on behind it (I3)", async () => {
    const after = await platform.createFunction("after");
    const executor = startExecutor(platform.bus, "after", async () => "done");
    await platform.bus.append(subjects.outcomes(0), Buffer.from("no pack"));
    for (const body of ["1", "2"])
      expect(await waitForEnd(platform, await publisher.accept(after, body))).toMatchObject({ state: "succeeded" });
    expect(await ledger.metrics.scrape()).not.toContain('what="log-gap"');
    executor.stop();
  });
});
