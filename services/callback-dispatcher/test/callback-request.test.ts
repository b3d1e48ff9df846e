import { describe, expect, it } from "vitest";
import { hostOf, toJobId } from "../src/core/callback-reference.ts";
import { toCallbackRequest } from "../src/core/callback-request.ts";
import { toOutcome } from "./outcome.ts";

const url = "https://example.com/hook?token=1";
const body = Buffer.from("answer");

describe("what a receiver gets", () => {
  it("a function cannot speak in the platform's name, nor in a signature's", () => {
    const outcome = toOutcome(url);
    outcome.result!.headers = [
      ["X-Function-Status", "200"],
      ["webhook-signature", "v1,forged"],
      ["x-fnbus-state", "forged"],
      ["Connection", "close"],
      ["Content-Length", "3"],
      ["traceparent", "forged"],
      ["x-own", "kept"],
    ];
    const { headers } = toCallbackRequest(outcome, body);
    const named = (name: string) => headers.filter(([key]) => key === name).map(([, value]) => value);
    expect(named("x-own")).toEqual(["kept"]);
    expect(named("x-fnbus-state")).toEqual(["succeeded"]);
    expect(named("content-type")).toEqual(["application/octet-stream"]);
    for (const name of ["webhook-signature", "connection", "content-length", "traceparent"])
      expect(named(name)).toEqual([]);
  });

  it("headers that would split the request are left out whole", () => {
    const outcome = toOutcome(url);
    outcome.result!.headers = [
      ["x-bad", "a\r\nx-evil: 1"],
      ["x-good", "b"],
    ];
    const text = JSON.stringify(toCallbackRequest(outcome, body).headers);
    expect(text).not.toContain("evil");
  });

  it("a function's own failure that answered is its answer, with its status (I9)", () => {
    const outcome = toOutcome(url, { state: "failed", errorCode: "function_answered_error" });
    outcome.result!.statusCode = 503;
    const request = toCallbackRequest(outcome, body);
    expect(request.facts).toMatchObject({ status: 503, state: "failed" });
    expect(Buffer.from(request.body).toString()).toBe("answer");
  });

  it("one that did not answer is its error as JSON, without a stack", () => {
    const outcome = toOutcome(url, { state: "failed", errorCode: "function_threw" });
    outcome.result!.statusCode = 0;
    outcome.result!.error = { code: "function_threw", message: "boom", stack: ["secret place"], details: { line: 9 } };
    const request = toCallbackRequest(outcome, Buffer.alloc(0));
    expect(JSON.parse(Buffer.from(request.body).toString())).toEqual({
      error: { status: 500, code: "function_threw", message: "boom", details: { line: 9 } },
    });
  });

  it("counts the hops, so that a circle of functions ends", () => {
    const depth = (outcome: ReturnType<typeof toOutcome>) =>
      toCallbackRequest(outcome, body).headers.find(([name]) => name === "x-call-depth")?.[1];
    expect([depth(toOutcome(url)), depth(toOutcome(url, { depth: 3 }))]).toEqual(["1", "4"]);
  });
});

describe("references", () => {
  it("a job's id is the callback's, has no colon, and a redrive is another job", () => {
    expect(toJobId({ id: "a-b", redrive: 0 })).toBe("cb-a-b");
    expect(toJobId({ id: "a-b", redrive: 7 })).toBe("cb-a-b-7");
  });

  it("a host is counted with its port", () => {
    expect([hostOf("https://Example.com/x"), hostOf("http://a:8080/"), hostOf("no url")]).toEqual([
      "example.com",
      "a:8080",
      "invalid",
    ]);
  });
});
