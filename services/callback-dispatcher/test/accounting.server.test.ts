import { setTimeout as sleep } from "node:timers/promises";
import { type CallbackAnswer, type CallbackQuestion, createId, streams, subjects } from "@fnbus/contract";
import { assertSilence, until } from "@fnbus/testing";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toOutcome } from "./outcome.ts";
import {
  endOf,
  type Platform,
  putOutcomes,
  type Receiver,
  recordsOf,
  startPlatform,
  startReceiver,
} from "./platform.ts";

let platform: Platform;
let marks: { partition: number; lowMark: number }[];
let receivers: Receiver[] = [];
let silence: ReturnType<typeof assertSilence>;
const cleanups: (() => Promise<unknown>)[] = [];

const receiver = async (...args: Parameters<typeof startReceiver>): Promise<Receiver> => {
  const one = await startReceiver(...args);
  receivers.push(one);
  return one;
};
const dispatcher = async (extra?: Record<string, string>) => {
  const running = await platform.startDispatcher(extra);
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= running.stop());
  cleanups.push(stop);
  return { ...running, stop };
};
const ask = async (question: CallbackQuestion): Promise<CallbackAnswer> => {
  const reply = await platform.bus.request(subjects.askCallbacks, Buffer.from(JSON.stringify(question)), {
    timeoutMs: 5000,
  });
  return JSON.parse(Buffer.from(reply.data).toString()) as CallbackAnswer;
};
const ends = async (id: string, count: number) =>
  until(`${id} has ${count} ends`, async () => endOf(await recordsOf(platform.bus, id)).length === count, 20_000);
const markIs = (mark: number) => until(`the mark is ${mark}`, () => marks.at(-1)?.lowMark === mark, 10_000);

beforeEach(async () => {
  silence = assertSilence();
  platform = await startPlatform();
  marks = [];
  platform.bus.subscribe(subjects.announceCallbacks(0), (message) => {
    marks.push(JSON.parse(Buffer.from(message.data).toString()));
  });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await Promise.all(receivers.map((one) => one.stop()));
  receivers = [];
  await platform.stop();
  silence.assert();
});

describe("the low mark (L26)", () => {
  it("stands at the oldest open callback, and passes it when it has an end", async () => {
    let isUp = false;
    const slow = await receiver((response) => response.writeHead(isUp ? 200 : 503).end());
    const quick = await receiver();
    await dispatcher({ FNBUS_CALLBACK_SCHEDULE: "1s,1s,1s,1s,1s,1s,1s,1s" });
    const first = await putOutcomes(platform.bus, [toOutcome(quick.url)]);
    const held = await putOutcomes(platform.bus, [toOutcome(slow.url)]);
    const last = await putOutcomes(platform.bus, [toOutcome(quick.url), toOutcome(quick.url)]);
    expect([first, held, last]).toEqual([1, 2, 3]);
    await until("the quick are through", () => quick.received.length === 3);
    await markIs(held);
    await sleep(1200);
    expect(marks.at(-1)!.lowMark).toBe(held);
    isUp = true;
    await markIs(last + 1);
  });

  it("passes a callback that was copied, tried or not, and the trimmed outcome is still delivered", async () => {
    let isUp = false;
    const hook = await receiver((response) => response.writeHead(isUp ? 200 : 503).end());
    await platform.redis.kill();
    const running = await dispatcher({ FNBUS_CALLBACK_COPY_AFTER: "500ms", FNBUS_CALLBACK_SCHEDULE: "2s,2s,2s,2s" });
    const outcomes = [toOutcome(hook.url), toOutcome(hook.url)];
    const sequence = await putOutcomes(platform.bus, outcomes, Buffer.from("kept"));
    await putOutcomes(platform.bus, [toOutcome(hook.url, { id: createId() })]);
    await markIs(sequence + 2);
    await platform.bus.trim(streams.outcomes(0), sequence + 1);
    // A new keeper knows them from the copies alone.
    await running.stop();
    await platform.redis.restart();
    isUp = true;
    await dispatcher();
    await Promise.all(outcomes.map(({ id }) => ends(id, 1)));
    expect(hook.received.filter(({ body }) => body.toString() === "kept")).toHaveLength(2);
    const bucket = await platform.bus.objects("CALLBACKS");
    await until("the copies are dropped", async () =>
      (await bucket.list()).every(({ name }) => !name.startsWith("open/")),
    );
  });
});

describe("redrive", () => {
  it("sends a given-up callback again, the same bytes, and records it as manual", async () => {
    let status = 410;
    const hook = await receiver((response) => response.writeHead(status).end());
    await dispatcher();
    const outcome = toOutcome(hook.url);
    const sequence = await putOutcomes(platform.bus, [outcome], Buffer.from("again"));
    await ends(outcome.id, 1);
    await markIs(sequence + 1);
    await platform.bus.append(subjects.outcomes(0), Buffer.from("damaged"));
    await platform.bus.trim(streams.outcomes(0), sequence + 1);
    status = 200;
    expect(await ask({ ask: "redrive", space: "other", id: outcome.id })).toMatchObject({
      code: "invocation_not_found",
    });
    expect(await ask({ ask: "redrive", space: "default", id: outcome.id })).toEqual({ ok: true, answer: "redriven" });
    await ends(outcome.id, 2);
    expect(hook.received.map(({ body }) => body.toString())).toEqual(["again", "again"]);
    const records = await recordsOf(platform.bus, outcome.id);
    expect(records.slice(2)).toMatchObject([
      { type: "callback-attempt", attempt: 1, manual: true, statusCode: 200 },
      { type: "callback-end", how: "delivered" },
    ]);
  });

  it("survives FLUSHALL: it was answered, so it is done (I5)", async () => {
    let status = 410;
    const hook = await receiver((response) => response.writeHead(status).end());
    const first = await dispatcher();
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ends(outcome.id, 1);
    status = 503;
    await ask({ ask: "redrive", space: "default", id: outcome.id });
    await until("tried again", () => hook.received.length === 2);
    await first.stop();
    const redis = new Redis(platform.redis.url);
    await redis.flushall();
    redis.disconnect();
    status = 200;
    await dispatcher();
    await ends(outcome.id, 2);
    expect(hook.received.length).toBeGreaterThanOrEqual(3);
  });

  it("sends a delivered callback again while its outcome is in the log, and refuses what nobody knows", async () => {
    const hook = await receiver();
    await dispatcher();
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ends(outcome.id, 1);
    await until("accounted for", () => marks.at(-1)?.lowMark === 2);
    expect(await ask({ ask: "redrive", space: "default", id: outcome.id })).toMatchObject({ ok: true });
    await ends(outcome.id, 2);
    expect(hook.received).toHaveLength(2);
    expect(await ask({ ask: "redrive", space: "default", id: createId() })).toMatchObject({ code: "result_gone" });
    expect(await ask({ ask: "redrive", space: "default", id: "x/../y" })).toMatchObject({
      code: "invocation_not_found",
    });
  });
});

describe("a dead endpoint", () => {
  it("is paused and shown, gets nothing while it is, and everything when it is resumed", async () => {
    let isUp = false;
    const hook = await receiver((response) => response.writeHead(isUp ? 200 : 500).end());
    const running = await dispatcher({
      FNBUS_CALLBACK_PAUSE_AFTER: "600ms",
      FNBUS_CALLBACK_SCHEDULE: "300ms,300ms,300ms,300ms,300ms,300ms,300ms,300ms,300ms",
    });
    const outcomes = Array.from({ length: 5 }, () => toOutcome(hook.url));
    await putOutcomes(platform.bus, outcomes);
    await until(
      "it is paused",
      () => (running.health?.().pausedHosts as string[] | undefined)?.includes(hook.host) === true,
    );
    await sleep(1500);
    const tries = hook.received.length;
    await sleep(1000);
    expect(hook.received.length).toBe(tries);
    expect(await ask({ ask: "endpoints" })).toMatchObject({
      endpoints: [{ host: hook.host, paused: true, open: 5, failingSince: expect.any(Number) }],
    });
    isUp = true;
    expect(await ask({ ask: "resume", host: hook.host })).toEqual({ ok: true, answer: "resumed" });
    await Promise.all(outcomes.map(({ id }) => ends(id, 1)));
    expect(await ask({ ask: "endpoints" })).toEqual({ ok: true, answer: "endpoints", endpoints: [] });
  });

  it("that stays paused for too long has its callbacks visibly given up (I4)", async () => {
    const hook = await receiver((response) => response.writeHead(500).end());
    await dispatcher({ FNBUS_CALLBACK_MAX_AGE: "1s", FNBUS_CALLBACK_SCHEDULE: "600ms,600ms,600ms,600ms" });
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ends(outcome.id, 1);
    expect(endOf(await recordsOf(platform.bus, outcome.id))).toMatchObject([
      { how: "given-up", reason: "older than callbacks may get" },
    ]);
  });

  it("a question that is none is refused, and the next is answered", async () => {
    await dispatcher();
    await until("somebody keeps", () => marks.length > 0);
    const reply = await platform.bus.request(subjects.askCallbacks, Buffer.from("{"), { timeoutMs: 5000 });
    expect(JSON.parse(Buffer.from(reply.data).toString())).toMatchObject({ ok: false });
    expect(await ask({ ask: "nonsense" } as never)).toMatchObject({ ok: false, code: "invalid_request" });
    expect(await ask({ ask: "endpoints" })).toMatchObject({ ok: true });
  });
});
