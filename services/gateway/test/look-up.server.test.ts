import { decodeFrame, type InvocationView, subjects } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Caller, createCaller } from "./caller.ts";
import { type Platform, startLedger, startPlatform } from "./platform.ts";
import { createAnswer } from "./questions.ts";

describe("invocations and logs in the management API", () => {
  let platform: Platform;
  let call: Caller;
  const functions = "/spaces/default/functions";
  const inline = (text = "exports.handler = async () => 1;") => ({ files: { "index.js": text } });

  beforeAll(async () => {
    platform = await startPlatform();
    call = createCaller(platform);
  });
  afterAll(() => platform.stop());

  it("shows invocations, their results, cancels and redrives them through the ledger", async () => {
    await call("POST", functions, { name: "dead", source: inline() });
    const registryId = await platform.registryId("dead");
    const ledger = await startLedger(platform.bus);
    onTestFinished(ledger.stop);
    const id = "01900000-0000-7000-8000-000000000001";
    const questions = await createAnswer(platform.bus, id, registryId);
    expect((await call("GET", `/spaces/default/invocations/${id}?wait=1`)).json).toMatchObject({
      id,
      state: "dead-lettered",
    } satisfies Partial<InvocationView>);
    expect(questions.asked.at(-1)).toEqual({ ask: "wait", space: "default", id, timeoutMs: 1000 });
    const result = await platform.fetch(`/v1/spaces/default/invocations/${id}/result`);
    expect([result.status, result.headers.get("x-mine"), await result.text()]).toEqual([500, "1", "the body"]);
    questions.unanswered = true;
    expect((await call("GET", `/spaces/default/invocations/${id}/result`)).json).toMatchObject({
      code: "result_gone",
      detail: "the function gave no answer",
    });
    expect((await call("GET", "/spaces/default/invocations/unknown")).json.code).toBe("invocation_not_found");
    expect((await call("POST", `/spaces/default/invocations/${id}/cancel`)).json.code).toBe("invocation_ended");
    const page = await call("GET", "/spaces/default/dead-letters?limit=1&since=2020-01-01T00:00:00Z");
    expect(page.json).toMatchObject({ data: [{ id }], next: "0.more" });
    expect(questions.asked.at(-1)).toMatchObject({ filter: { states: ["dead-lettered"], since: Date.UTC(2020, 0) } });
    expect((await call("POST", "/spaces/default/dead-letters/redrive", { dryRun: true })).json).toMatchObject({
      wouldRedrive: [id],
    });
    const redriven = await call("POST", `/spaces/default/invocations/${id}/redrive`);
    expect(redriven.status).toBe(202);
    await until("it is accepted", () => ledger.accepted.some((head) => head.id === redriven.json.id));
    const stored = await platform.bus.readLast("INVOCATIONS_0", subjects.invocations(0));
    expect(decodeFrame(Buffer.from(stored!.data), 8).meta).toMatchObject({
      redriveOf: id,
      source: "redrive",
      registryId,
    });
    expect((await call("GET", "/totals")).json.data).toMatchObject([{ partition: 0, accepted: 3, unfinished: 1 }]);
    expect((await call("GET", "/partitions/0/give-ups?limit=5")).json).toEqual({ data: [], next: 7 });
  });

  it("I2: a synchronous call with a key is accepted once and answered with the outcome, each time", async () => {
    await call("POST", functions, { name: "keyed", source: inline() });
    const registryId = await platform.registryId("keyed");
    const ledger = await startLedger(platform.bus);
    onTestFinished(ledger.stop);
    const questions = await createAnswer(platform.bus, "01900000-0000-7000-8000-000000000002", registryId);
    const send = () =>
      platform.fetch("/spaces/default/functions/keyed/invoke", {
        method: "POST",
        body: "x",
        headers: { "idempotency-key": "k" },
      });
    await until("the ledger is heard", async () => (await send()).status !== 503);
    const count = ledger.accepted.length;
    const answer = await send();
    expect([answer.status, await answer.text()]).toEqual([500, "the body"]);
    expect(answer.headers.get("idempotent-replayed")).toBe("true");
    expect(answer.headers.get("x-fnbus-invocation-id")).toBe(ledger.accepted[count - 1]!.id);
    questions.gone = true;
    const gone = await send();
    expect([gone.status, gone.headers.get("x-fnbus-error")]).toEqual([410, "result_gone"]);
    expect(await gone.json()).toMatchObject({ error: { details: { state: "dead-lettered" } } });
  });

  it("follows a function's log without a gap or a double", async () => {
    await call("POST", functions, { name: "chatty", source: inline() });
    const registryId = await platform.registryId("chatty");
    const write = (text: string) => {
      const line = {
        at: Date.now(),
        function: "chatty",
        registryId,
        instance: "e-1",
        invocation: "i",
        stream: "stdout",
        text,
      };
      platform.bus.publish(subjects.logs("default", "chatty"), Buffer.from(JSON.stringify([line])));
    };
    for (let at = 0; at < 5; at++) write(`line ${at}`);
    await until(
      "the log is stored",
      async () => (await call("GET", `${functions}/chatty/logs`)).text.split("\n").length === 6,
    );
    const stop = new AbortController();
    const answer = await platform.fetch(`/v1${functions}/chatty/logs?follow=true&tail=2`, { signal: stop.signal });
    const texts: string[] = [];
    const reading = (async () => {
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream()))
        for (const line of chunk.split("\n").filter(Boolean)) texts.push(JSON.parse(line).text);
    })().catch(() => undefined);
    await until("the stored lines came", () => texts.length === 2);
    write("line 5");
    await until("the live line came", () => texts.length === 3);
    stop.abort();
    await reading;
    expect(texts).toEqual(["line 3", "line 4", "line 5"]);
    const dialect = await platform.fetch("/spaces/default/functions/chatty/logs?tail=1");
    expect(dialect.headers.get("content-type")).toContain("application/x-ndjson");
    expect(JSON.parse(await dialect.text())).toEqual({
      name: "chatty",
      instance: "e-1",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      text: "line 5",
    });
  });
});
