import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bus, BusCall } from "../src/index.ts";
import { type Bench, bytes, serverBinaries, startBench, text } from "./servers.ts";

const echo = (call: BusCall) => call.answer(call.head, call.body);

describe.each(serverBinaries)("calls in packs on %s", (binary) => {
  let bench: Bench;
  let bus: Bus;
  beforeAll(async () => {
    bench = await startBench(binary);
    ({ bus } = bench);
  });
  afterAll(() => bench.stop());
  const call = (subject: string, head: string, spread?: number) =>
    bus.call(subject, head, bytes(`body of ${head}`), { timeoutMs: 5_000, ...(spread ? { spread } : {}) });
  /** Messages, not calls, that came on a subject. */
  const countMessages = (subject: string) => {
    let count = 0;
    const watching = bus.subscribe(subject, () => count++);
    return { count: () => count, stop: () => watching.unsubscribe() };
  };

  it("gives each caller its own answer, whatever the order they are answered in", async () => {
    const held: BusCall[] = [];
    const answering = bus.answerCalls("reversed", (one) => held.push(one));
    const asked = Array.from({ length: 100 }, (_, number) => call("reversed", `héad ${number}`));
    await until("all came", () => held.length === 100);
    for (const one of held.reverse()) one.answer(`answer to ${one.head}`, one.body);
    const answers = await Promise.all(asked);
    expect(answers.map(({ head, body }) => [head, text(body)])).toEqual(
      asked.map((_, number) => [`answer to héad ${number}`, `body of héad ${number}`]),
    );
    answering.unsubscribe();
  });

  it("is one message a turn and subject, and one for each who answers where they are to be spread", async () => {
    const answering = bus.answerCalls("packed.*", echo, { queue: "q" });
    const messages = countMessages("packed.*");
    await Promise.all(Array.from({ length: 40 }, (_, number) => call(`packed.${number % 2}`, String(number))));
    expect(messages.count()).toBe(2);
    await Promise.all(Array.from({ length: 20 }, (_, number) => call("packed.0", String(number), 4)));
    expect(messages.count()).toBe(6);
    await Promise.all(Array.from({ length: 3 }, (_, number) => call("packed.0", String(number), 4)));
    expect(messages.count()).toBe(9);
    messages.stop();
    answering.unsubscribe();
  });

  it("sends many of one turn, and their answers, before that turn is over", async () => {
    const answering = bus.answerCalls("many", echo);
    const messages = countMessages("many");
    const answers = countMessages("*.*.answers");
    await Promise.all(Array.from({ length: 60 }, (_, number) => call("many", String(number))));
    expect([messages.count(), answers.count()]).toEqual([3, 3]);
    answers.stop();
    messages.stop();
    answering.unsubscribe();
  });

  it("keeps packs below 256 KB, and a message of the broker's size alone is one", async () => {
    const answering = bus.answerCalls("large", echo);
    const messages = countMessages("large");
    const large = new Uint8Array(200 * 1024);
    const most = new Uint8Array(bus.maxPayload - 17);
    const sizes = await Promise.all(
      [large, large, most, large].map(
        async (body) => (await bus.call("large", "h", body, { timeoutMs: 5_000 })).body.length,
      ),
    );
    expect(sizes).toEqual([large, large, most, large].map(({ length }) => length));
    expect(messages.count()).toBe(4);
    const over = bus.call("large", "h", new Uint8Array(bus.maxPayload - 16), { timeoutMs: 5_000 });
    await expect(over).rejects.toMatchObject({ code: "too_large" });
    messages.stop();
    answering.unsubscribe();
  });

  it("tells every caller of a pack at once that nobody listens, and nobody else", async () => {
    const answering = bus.answerCalls("somebody", (one) => setTimeout(() => one.answer("late"), 300));
    const heard = call("somebody", "1");
    const asked = await Promise.allSettled(Array.from({ length: 5 }, (_, number) => call("nobody", String(number))));
    expect(asked.map((one) => one.status === "rejected" && one.reason.code)).toEqual(Array(5).fill("no_responders"));
    expect((await heard).head).toBe("late");
    answering.unsubscribe();
  });

  it("times out by each caller's own time, and an answer after it reaches nobody", async () => {
    const held: BusCall[] = [];
    const answering = bus.answerCalls("slow", (one) => held.push(one));
    const short = bus.call("slow", "short", bytes(""), { timeoutMs: 100 });
    const long = bus.call("slow", "long", bytes(""), { timeoutMs: 5_000 });
    await expect(short).rejects.toMatchObject({ code: "timeout" });
    for (const one of held) one.answer(`to ${one.head}`);
    expect((await long).head).toBe("to long");
    answering.unsubscribe();
  });

  it("lives on when somebody sends what is no pack", async () => {
    const answering = bus.answerCalls("odd", echo);
    bus.publish("odd", bytes("no pack"), { reply: "nobody.waits" });
    bus.publish("odd", Buffer.alloc(64, 255));
    expect((await call("odd", "fine")).head).toBe("fine");
    answering.unsubscribe();
  });

  it("tells callers of a lost connection at once, before and after it is sent", async () => {
    const answering = bus.answerCalls("lost", () => {});
    const asked = call("lost", "1");
    await bus.request("$JS.API.INFO", bytes(""), { timeoutMs: 5_000 });
    const restarted = bench.nats.restart();
    await expect(asked).rejects.toMatchObject({ code: "disconnected" });
    await expect(call("lost", "2")).rejects.toMatchObject({ code: "disconnected" });
    await restarted;
    await until("connected again", () => bus.isConnected());
    answering.unsubscribe();
  });
});
