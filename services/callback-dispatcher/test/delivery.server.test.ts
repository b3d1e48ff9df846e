import { setTimeout as sleep } from "node:timers/promises";
import { buckets, type OutcomeRecord } from "@fnbus/contract";
import { deriveSpaceSecret, verifyCallback } from "@fnbus/signing";
import { assertSilence, until } from "@fnbus/testing";
import { type CloudEvent, HTTP } from "cloudevents";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { toOutcome } from "./outcome.ts";
import {
  endOf,
  MASTER,
  type Platform,
  putOutcomes,
  type Receiver,
  recordsOf,
  startPlatform,
  startReceiver,
} from "./platform.ts";

let platform: Platform;
let dispatcher: Awaited<ReturnType<Platform["startDispatcher"]>>;
let receivers: Receiver[] = [];
let silence: ReturnType<typeof assertSilence>;

const receiver = async (...args: Parameters<typeof startReceiver>): Promise<Receiver> => {
  const one = await startReceiver(...args);
  receivers.push(one);
  return one;
};
const ended = (id: string) =>
  until(`${id} has an end`, async () => endOf(await recordsOf(platform.bus, id)).length > 0, 20_000);

beforeAll(async () => {
  platform = await startPlatform();
  dispatcher = await platform.startDispatcher({ FNBUS_CALLBACK_TIMEOUT_MS: "1500" });
});
afterAll(async () => {
  await dispatcher.stop();
  await platform.stop();
});
beforeEach(() => {
  silence = assertSilence();
});
afterEach(async () => {
  await Promise.all(receivers.map((one) => one.stop()));
  receivers = [];
  silence.assert();
});

describe("a callback", () => {
  it("arrives once, with the function's body and headers, and a signature that verifies (I4)", async () => {
    const hook = await receiver();
    const outcome = toOutcome(hook.url, { callId: "call.1" });
    outcome.result!.statusCode = 201;
    outcome.result!.headers.push(
      ["x-own", "a"],
      ["set-cookie", "b=1"],
      ["set-cookie", "c=2"],
      ["x-function-status", "999"],
    );
    const body = Buffer.from([0, 255, 13, 10, 128]);
    await putOutcomes(platform.bus, [outcome], body);
    await ended(outcome.id);
    const [got, ...more] = hook.received;
    expect(more).toEqual([]);
    expect(got!.method).toBe("POST");
    expect(got!.body.equals(body)).toBe(true);
    expect(got!.headers).toMatchObject({
      "content-type": "application/json",
      "x-own": "a",
      "x-function-status": "201",
      "x-function-name": "hello",
      "x-call-id": "call.1",
      "x-call-depth": "1",
      "x-duration-seconds": "0.012500",
      "x-fnbus-invocation-id": outcome.id,
      "x-fnbus-state": "succeeded",
      "webhook-id": outcome.id,
    });
    const header = (name: string) => got!.headers[name] as string | undefined;
    const secret = deriveSpaceSecret(MASTER, "default");
    expect(verifyCallback([secret], header, got!.body, Date.now() / 1000)).toEqual({ valid: true });
    const records = await recordsOf(platform.bus, outcome.id);
    expect(records).toMatchObject([
      { type: "callback-attempt", attempt: 1, statusCode: 204, url: hook.url },
      { type: "callback-end", how: "delivered", attempts: 1 },
    ]);
  });

  it("of a function that gave no answer carries the error as JSON and its status", async () => {
    const hook = await receiver();
    const { result: _, ...rest } = toOutcome(hook.url, { state: "expired", errorCode: "expired" });
    await putOutcomes(platform.bus, [rest as OutcomeRecord], Buffer.alloc(0));
    await ended(rest.id);
    expect(hook.received[0]!.headers).toMatchObject({
      "x-function-status": "504",
      "x-fnbus-state": "expired",
      "content-type": "application/json",
    });
    expect(JSON.parse(hook.received[0]!.body.toString())).toMatchObject({ error: { status: 504, code: "expired" } });
  });

  it("is a CloudEvent where the function answered one, as the official library reads it (D9)", async () => {
    const hook = await receiver();
    const outcome = toOutcome(hook.url);
    const event = { specversion: "1.0", id: "bill-7", source: "/bill", type: "com.example.bill.sent" };
    outcome.result!.headers.push(
      ...Object.entries(event).map(([name, value]): [string, string] => [`ce-${name}`, value]),
    );
    await putOutcomes(platform.bus, [outcome], Buffer.from('{"bill":7}'));
    await ended(outcome.id);
    const { headers, body } = hook.received[0]!;
    const read = HTTP.toEvent({ headers, body: body.toString() }) as CloudEvent;
    expect(read.validate()).toBe(true);
    expect(read).toMatchObject({ ...event, data: { bill: 7 } });
  });

  it("takes a large body from the object store", async () => {
    const hook = await receiver();
    const body = Buffer.alloc(3_000_000, "x");
    const outcome = toOutcome(hook.url);
    outcome.result!.bodyReference = { bucket: buckets.bodies, name: `0/${outcome.id}/result/1`, bytes: body.length };
    await (await platform.bus.objects(buckets.bodies)).put(outcome.result!.bodyReference.name, body);
    await putOutcomes(platform.bus, [outcome], Buffer.alloc(0));
    await ended(outcome.id);
    expect(hook.received[0]!.body.equals(body)).toBe(true);
  });

  it("is tried again as scheduled, with the same id and bytes on every try (I4)", async () => {
    const hook = await receiver((response) => response.writeHead(hook.received.length < 4 ? 503 : 200).end());
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    expect(hook.received).toHaveLength(4);
    const same = (one: (typeof hook.received)[number]) => {
      const { "webhook-timestamp": _t, "webhook-signature": _s, "x-fnbus-signature": _f, ...headers } = one.headers;
      return JSON.stringify([headers, one.body.toString("hex")]);
    };
    expect(new Set(hook.received.map(same)).size).toBe(1);
    const gaps = hook.received.slice(1).map((one, index) => one.at - hook.received[index]!.at);
    for (const [index, scheduled] of [100, 100, 200].entries()) {
      expect(gaps[index]).toBeGreaterThanOrEqual(scheduled * 0.8 - 5);
      expect(gaps[index]).toBeLessThan(scheduled * 1.2 + 1000);
    }
    const records = await recordsOf(platform.bus, outcome.id);
    expect(records.map((record) => record.type)).toEqual([
      ...Array.from({ length: 4 }, () => "callback-attempt"),
      "callback-end",
    ]);
    expect(records[0]).toMatchObject({ statusCode: 503, errorCode: "callback_failed", nextAt: expect.any(Number) });
  });

  it("that answers 410 is never retried, and is visibly given up", async () => {
    const hook = await receiver((response) => response.writeHead(410).end());
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    await sleep(300);
    expect(hook.received).toHaveLength(1);
    expect(endOf(await recordsOf(platform.bus, outcome.id))).toMatchObject([{ how: "given-up", attempts: 1 }]);
  });

  it("that is refused as a wrong request is retried three times and given up", async () => {
    const hook = await receiver((response) => response.writeHead(400).end());
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    expect(hook.received).toHaveLength(4);
    expect(endOf(await recordsOf(platform.bus, outcome.id))).toMatchObject([{ how: "given-up", attempts: 4 }]);
  });

  it("to a host that refuses connections is given up when its schedule is used up, with every try recorded", async () => {
    const hook = await receiver();
    await hook.stop();
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    const records = await recordsOf(platform.bus, outcome.id);
    expect(records).toHaveLength(7);
    expect(records[0]).toMatchObject({
      errorCode: "callback_failed",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    expect(records.at(-1)).toMatchObject({ how: "given-up", attempts: 6 });
  });

  it("is not led elsewhere by a redirect", async () => {
    const secret = await receiver();
    const hook = await receiver((response) => response.writeHead(307, { location: secret.url }).end());
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    expect(secret.received).toEqual([]);
    expect(endOf(await recordsOf(platform.bus, outcome.id))).toMatchObject([{ how: "given-up" }]);
  });

  it("to a forbidden address is never sent, and given up", async () => {
    const outcome = toOutcome("http://169.254.169.254/latest");
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    const [first] = await recordsOf(platform.bus, outcome.id);
    expect(first).toMatchObject({ errorCode: "callback_url_forbidden" });
  });

  it("waits as long as Retry-After says", async () => {
    const hook = await receiver((response) =>
      hook.received.length === 1
        ? response.writeHead(429, { "retry-after": "1" }).end()
        : response.writeHead(200).end(),
    );
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    expect(hook.received[1]!.at - hook.received[0]!.at).toBeGreaterThanOrEqual(990);
  });
});

describe("a receiver's answer is bounded", () => {
  it.each<[string, Parameters<typeof startReceiver>[0]]>([
    [
      "a body without an end",
      (response) => {
        response.writeHead(200);
        const chunk = Buffer.alloc(65_536);
        const flood = (): void => {
          while (!response.destroyed && response.write(chunk));
          if (!response.destroyed) response.once("drain", flood);
        };
        flood();
      },
    ],
    [
      "a body of one byte a second",
      (response) => {
        response.writeHead(200).write("a");
        const drip = setInterval(() => response.write("a"), 1000);
        response.on("close", () => clearInterval(drip));
      },
    ],
    [
      "a declared length that never comes",
      (response) => response.writeHead(200, { "content-length": "1000000" }).write("a"),
    ],
  ])("%s holds nothing up", async (_, answer) => {
    const hook = await receiver(answer);
    const outcome = toOutcome(hook.url);
    const before = process.memoryUsage().rss;
    const began = performance.now();
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    expect(performance.now() - began).toBeLessThan(4000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    expect(endOf(await recordsOf(platform.bus, outcome.id))).toMatchObject([{ how: "delivered" }]);
    expect(hook.received).toHaveLength(1);
  });

  it("headers without an end are a failed try", async () => {
    const hook = await receiver((response, _, request) => {
      if (hook.received.length > 1) return response.writeHead(200).end();
      request.socket.write(`HTTP/1.1 200 OK\r\n${"x-pad: aaaaaaaaaaaaaaaa\r\n".repeat(10_000)}`);
      return response;
    });
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    expect(endOf(await recordsOf(platform.bus, outcome.id))).toMatchObject([{ how: "delivered", attempts: 2 }]);
  });

  it("no answer at all is a failed try after the deadline", async () => {
    const hook = await receiver((response) => (hook.received.length > 1 ? response.writeHead(200).end() : undefined));
    const outcome = toOutcome(hook.url);
    await putOutcomes(platform.bus, [outcome]);
    await ended(outcome.id);
    const [first] = await recordsOf(platform.bus, outcome.id);
    expect(first).toMatchObject({ message: expect.stringContaining("no answer in time") });
    expect((first as { durationMs: number }).durationMs).toBeLessThan(2500);
  });
});
