import { decodeEntryPack, type FreeRecord, streams, subjects } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Platform, type Run, result, sendRaw, startExecutor, startPlatform } from "./platform.ts";

describe("a synchronous call", () => {
  let platform: Platform;
  let executor: { stop(): void };
  let run: (call: Run) => Answer | Promise<Answer>;
  let seen: Run[];

  beforeAll(async () => {
    platform = await startPlatform();
    await platform.deploy("hello");
    seen = [];
    executor = startExecutor(platform.bus, (call) => {
      seen.push(call);
      return run(call);
    });
  });
  afterAll(async () => {
    executor.stop();
    await platform.stop();
  });
  const invoke = (rest = "", options: Parameters<Platform["fetch"]>[1] = {}) =>
    platform.fetch(`/spaces/default/functions/hello/invoke${rest}`, { method: "POST", ...options });

  it("gives the function's status, headers and body", async () => {
    run = () => ({
      reply: {
        ok: true,
        result: result({
          statusCode: 418,
          headers: [
            ["x-tea", "pot"],
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
          ],
        }),
      },
      body: Buffer.from("short and stout"),
    });
    const answer = await invoke("/stock/today?company=x", {
      body: "{}",
      headers: { "x-mine": "1", "x-call-id": "abc" },
    });
    expect(answer.status).toBe(418);
    expect(await answer.text()).toBe("short and stout");
    expect(answer.headers.get("x-tea")).toBe("pot");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(answer.headers.get("x-call-id")).toBe("abc");
    expect(answer.headers.get("x-duration-seconds")).toBe("0.001500");
    const { meta, body } = seen.at(-1)!;
    expect(meta).toMatchObject({
      method: "POST",
      path: "/stock/today",
      query: "company=x",
      callId: "abc",
      kind: "http",
    });
    expect(meta.headers).toContainEqual(["x-mine", "1"]);
    expect(meta.headers.map(([name]) => name)).not.toContain("authorization");
    expect(body.toString()).toBe("{}");
  });

  it("takes all five methods and passes bytes whatever the content type says", async () => {
    run = ({ meta, body }) => ({
      reply: { ok: true, result: result() },
      body: Buffer.from(`${meta.method} ${body.toString("hex")}`),
    });
    for (const method of ["GET", "DELETE"]) expect(await (await invoke("", { method })).text()).toBe(`${method} `);
    for (const method of ["POST", "PUT", "PATCH"]) {
      const headers = { "content-type": "not a / content type" };
      const answer = await invoke("", { method, body: new Uint8Array([0, 255, 10]), headers });
      expect(await answer.text()).toBe(`${method} 00ff0a`);
      expect(seen.at(-1)!.meta.headers).toContainEqual(["content-type", "not a / content type"]);
    }
  });

  it.each([
    ["an encoded name", (path: string) => path.replace("hello", "%68ello")],
    ["an absolute target", (path: string) => `http://gateway:80${path}`],
  ])("a call that is written unusually is answered as any other: %s", async (_what, rewrite) => {
    run = ({ meta, body }) => ({ reply: { ok: true, result: result() }, body: Buffer.from(`${meta.path} ${body}`) });
    const path = "/spaces/default/functions/hello/invoke/a";
    const head = (target: string) =>
      `POST ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${platform.adminKey}\r\ncontent-type: ;;\r\ncontent-length: 4\r\n\r\nbody`;
    const send = (target: string) => sendRaw(platform.url, head(target), 150);
    const shape = (answer: string) =>
      answer.replaceAll(/^(x-call-id|x-fnbus-invocation-id|x-duration-seconds|date): .*$/gim, "$1");
    const usual = shape(await send(path));
    expect(usual).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(usual.endsWith("\r\n\r\n/a body")).toBe(true);
    expect(shape(await send(rewrite(path)))).toBe(usual);
  });

  it("refuses a body that grows past the limit while it comes, and closes its connection", async () => {
    const head = `POST /spaces/default/functions/hello/invoke HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${platform.adminKey}\r\ntransfer-encoding: chunked\r\n\r\n`;
    const chunk = `700000\r\n${"x".repeat(7 * 1024 * 1024)}\r\n0\r\n\r\n`;
    const answer = await sendRaw(platform.url, head + chunk);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toMatch(/\r\nx-fnbus-error: body_too_large\r\n/);
    expect(answer).toMatch(/\r\nconnection: close\r\n/);
  });

  it("I9: tells an exception of the function in SmartWorks' words, on the function's side", async () => {
    const details = {
      exception_info: "division by zero",
      exception_line_code: "value = 100 / 0",
      exception_line_number: 9,
      exception_type: "ZeroDivisionError",
    };
    const error = { code: "function_threw", message: "division by zero", type: "ZeroDivisionError", details } as const;
    run = () => ({ reply: { ok: true, result: result({ statusCode: 0, error }) } });
    const answer = await invoke();
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({
      error: { status: 500, message: "ZeroDivisionError at line 9: division by zero", details },
    });
    expect(answer.headers.get("x-fnbus-error")).toBe("function_threw");
    expect(answer.headers.get("x-fnbus-error-side")).toBe("function");
    expect(answer.headers.get("x-duration-seconds")).toBeNull();
  });

  it("I9: passes a function's own 503 on as its answer", async () => {
    const error = { code: "function_answered_error", message: "answered 503" } as const;
    run = () => ({ reply: { ok: true, result: result({ statusCode: 503, error }) }, body: Buffer.from("mine") });
    const answer = await invoke();
    expect([answer.status, await answer.text()]).toEqual([503, "mine"]);
    expect(answer.headers.get("x-fnbus-error-side")).toBe("function");
  });

  it("asks another executor once when one is at its share, then answers 429", async () => {
    let tries = 0;
    const full = { ok: false, code: "concurrency_limited", message: "full", retryAfterSeconds: 2 } as const;
    run = () =>
      ++tries === 1 ? { reply: full } : { reply: { ok: true, result: result() }, body: Buffer.from("second") };
    expect(await (await invoke()).text()).toBe("second");
    run = () => ({ reply: full });
    const answer = await invoke();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "2"]);
    expect(answer.headers.get("x-fnbus-error")).toBe("concurrency_limited");
  });

  it("answers 504 at the caller's own deadline", async () => {
    run = () => undefined;
    const start = performance.now();
    const answer = await invoke("", { headers: { "x-timeout": "200ms" } });
    expect([answer.status, answer.headers.get("x-fnbus-error")]).toEqual([504, "deadline_exceeded"]);
    expect(performance.now() - start).toBeLessThan(3000);
    expect(seen.at(-1)!.meta.deadlineMs).toBe(200);
  });

  it("answers 503 no_executor where no executor serves the pool", async () => {
    await platform.deploy("lonely", { pool: "elsewhere" });
    const answer = await platform.fetch("/spaces/default/functions/lonely/invoke", { method: "POST" });
    expect([answer.status, answer.headers.get("x-fnbus-error")]).toEqual([503, "no_executor"]);
    expect(answer.headers.get("x-fnbus-error-side")).toBe("platform");
  });

  it("carries a body of 6 MB both ways, and refuses one more byte before it is read", async () => {
    run = ({ body }) => ({ reply: { ok: true, result: result() }, body });
    const body = Buffer.alloc(6 * 1024 * 1024, 7);
    const answer = await invoke("", { body });
    expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), body)).toBe(0);
    const refused = await invoke("", { body: Buffer.alloc(6 * 1024 * 1024 + 1) });
    expect([refused.status, refused.headers.get("x-fnbus-error")]).toEqual([413, "body_too_large"]);
  });

  it("L29: records failed calls, as the settings say, and no others", async () => {
    run = () => ({ reply: { ok: true, result: result() } });
    await invoke();
    const error = { code: "function_threw", message: "no" } as const;
    run = () => ({ reply: { ok: true, result: result({ statusCode: 0, error }) } });
    const id = (await invoke()).headers.get("x-fnbus-invocation-id");
    await until("the failure is recorded", async () => {
      const messages = await platform.bus.readSubject(streams.records(0), subjects.records(0), { maxMessages: 1000 });
      const records = messages.flatMap(({ data }) => decodeEntryPack<object, FreeRecord>(data).entries);
      expect(records.every(({ meta }) => meta.type === "call" && meta.outcome.state === "failed")).toBe(true);
      return records.some(({ meta }) => meta.type === "call" && meta.outcome.id === id);
    });
  });
});
