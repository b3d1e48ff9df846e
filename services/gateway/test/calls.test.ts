import { limits } from "@fnbus/contract";
import { codeOf } from "@fnbus/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCallHeaders } from "../src/core/call-headers.ts";
import { toCallRecord } from "../src/core/call-record.ts";
import { toDeadlineMs } from "../src/core/deadline.ts";
import { toBodyHash, toKeyedId, toMeta } from "../src/core/envelope.ts";
import { toRunError } from "../src/core/run-error.ts";
import { toCallTarget } from "../src/core/target.ts";
import { functionOf, settings } from "./definitions.ts";

describe("a call's target", () => {
  const base = "/spaces/s/functions/f/invoke";
  it.each([
    [base, "/", ""],
    [`${base}/`, "/", ""],
    [`${base}?`, "/", ""],
    [`${base}?a=/b/c/d/e/f`, "/", "a=/b/c/d/e/f"],
    [`${base}/a/b/c`, "/a/b/c", ""],
    [`${base}/a/b/c/`, "/a/b/c/", ""],
    [`${base}/a%2Fb/c?x=%20&y=ü`, "/a%2Fb/c", "x=%20&y=ü"],
    [`http://host:80${base}/a?q`, "/a", "q"],
    [`${base.replace("invoke", "async-invoke")}/a`, "/a", ""],
  ])("%s is %s and %s", (url, path, query) => {
    expect(toCallTarget(url)).toEqual({ path, query });
  });

  it.each([
    [`${base}/a/b/c/d`, "path_too_deep"],
    [`${base}//a//b`, "path_too_deep"],
    [`${base}/${"a".repeat(limits.pathBytes)}`, "uri_too_long"],
    [`${base}?${"a".repeat(limits.queryBytes + 1)}`, "uri_too_long"],
  ])("%s is refused with %s", (url, code) => expect(codeOf(() => toCallTarget(url))).toBe(code));

  it("never throws anything but the two errors", () => {
    fc.assert(
      fc.property(fc.string(), (rest) => {
        expect(["nothing", "path_too_deep", "uri_too_long"]).toContain(codeOf(() => toCallTarget(base + rest)));
      }),
    );
  });
});

describe("headers that speak to the platform", () => {
  it("are read whatever their case", () => {
    const raw = [
      "X-Call-ID",
      "c",
      "X-TIMEOUT",
      "2m",
      "Idempotency-Key",
      "k",
      "X-Callback-Url",
      "http://a",
      "X-Call-Depth",
      "3",
    ];
    expect(readCallHeaders(raw)).toEqual({
      callId: "c",
      timeoutMs: 120_000,
      idempotencyKey: "k",
      callbackUrl: "http://a",
      depth: 3,
    });
  });

  it.each<[string[], string]>([
    [["idempotency-key", ""], "idempotency_key_invalid"],
    [["idempotency-key", "a", "Idempotency-Key", "a"], "idempotency_key_invalid"],
    [["idempotency-key", "ü"], "idempotency_key_invalid"],
    [["x-callback-url", "http://a", "x-callback-url", "http://b"], "callback_url_invalid"],
    [["x-call-id", "a", "x-call-id", "b"], "invalid_header"],
    [["x-timeout", "0"], "invalid_header"],
    [["x-timeout", "-5s"], "invalid_header"],
    [["x-call-depth", "9"], "callback_loop"],
    [["x-call-depth", "many"], "invalid_header"],
  ])("%j is refused with %s", (raw, code) => expect(codeOf(() => readCallHeaders(raw))).toBe(code));
});

describe("I2: a key", () => {
  it("is the same invocation for the same function, and another for a namesake made later", () => {
    expect(toKeyedId(functionOf(), "k")).toBe(toKeyedId(functionOf(), "k"));
    expect(toKeyedId(functionOf(), "k")).not.toBe(
      toKeyedId(functionOf({ id: "01900000-0000-7000-8000-00000000ffff" }), "k"),
    );
  });

  it("means the same request where path, query and body are the same, and no two of them can be confused", () => {
    const body = Buffer.from("b");
    const hash = (path: string, query: string, bytes = body) => toBodyHash({ path, query }, bytes).toString("hex");
    expect(hash("/a", "q")).toBe(hash("/a", "q"));
    expect(new Set([hash("/a", "q"), hash("/aq", ""), hash("/", "aq"), hash("/a", "qb", Buffer.alloc(0))]).size).toBe(
      4,
    );
  });
});

describe("a deadline", () => {
  it("is the least of the function's time with its start, the gateway's limit and the caller's", () => {
    expect(toDeadlineMs(settings({ timeoutMs: 1000 }), 60_000, undefined)).toBe(11_000);
    expect(
      toDeadlineMs(
        settings({ timeoutMs: 1000, initializer: "index.init", initializerTimeoutMs: 5000 }),
        60_000,
        undefined,
      ),
    ).toBe(16_000);
    expect(toDeadlineMs(settings({ timeoutMs: 600_000 }), 60_000, undefined)).toBe(60_000);
    expect(toDeadlineMs(settings({ timeoutMs: 600_000 }), 60_000, 50)).toBe(50);
  });
});

describe("I9: a run's error", () => {
  it("keeps its code and, where the line is known, says it as SmartWorks does", () => {
    const details = {
      exception_type: "ZeroDivisionError",
      exception_line_number: 9,
      exception_info: "division by zero",
    };
    expect(toRunError({ code: "function_threw", message: "m", details })).toMatchObject({
      ...{ code: "function_threw", message: "ZeroDivisionError at line 9: division by zero", details },
    });
    expect(toRunError({ code: "function_timeout", message: "too long" })).toMatchObject({
      message: "too long",
      details: undefined,
    });
  });
});

describe("the record of a synchronous call", () => {
  const http = { method: "POST", target: { path: "/", query: "" }, headers: [], call: { depth: 0 } };
  const meta = toMeta("01900000-0000-7000-8000-000000000009", functionOf(), http, 1, 1_000);

  it("does not point to a body that was dropped with the answer", () => {
    const bodyReference = { bucket: "BODIES", name: "0/x/result/1", bytes: 9 };
    const result = { statusCode: 200, headers: [], startedAt: 1, durationMs: 1, cold: false, executor: "e" };
    const record = toCallRecord("all", meta, { result: { ...result, bodyReference } }, 2);
    expect(record).toMatchObject({ type: "call", outcome: { result } });
    expect(JSON.stringify(record)).not.toContain("bodyReference");
  });
});
