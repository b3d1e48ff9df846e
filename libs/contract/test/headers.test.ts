import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FnbusError, type HeaderList, headerOf, limits, toAnswerHeaders, toFunctionHeaders } from "../src/index.ts";

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof FnbusError) return error.code;
    throw error;
  }
  return "none";
};
const namesOf = (list: HeaderList) => list.map(([name]) => name);

describe("the headers that a function sees", () => {
  it("keep their order and doubles, with names in lower case", () => {
    const list = toFunctionHeaders(["X-B", "1", "Accept", "*/*", "x-b", "2"]);
    expect(list).toEqual([
      ["x-b", "1"],
      ["accept", "*/*"],
      ["x-b", "2"],
    ]);
    expect(headerOf(list, "x-b")).toBe("1");
    expect(headerOf(list, "x-c")).toBe(undefined);
  });
  it.each([
    ["Authorization", "Bearer fnb_x"],
    ["Proxy-Authorization", "Basic eA=="],
    ["Idempotency-Key", "k"],
    ["Host", "example.com"],
    ["Transfer-Encoding", "chunked"],
    ["Content-Length", "5"],
    ["Expect", "100-continue"],
    ["TE", "trailers"],
    ["X-Call-Id", "1"],
    ["x-function-name", "other"],
    ["X-FNBUS-anything", "1"],
    ["X-Forwarded-For", "10.0.0.1"],
    ["Nats-Msg-Id", "1"],
    ["Fnbus-Meta", "{}"],
  ])("leave out %s (I10: not the platform's credentials, and nobody speaks in its name)", (name, value) => {
    expect(toFunctionHeaders([name, value, "accept", "*/*"])).toEqual([["accept", "*/*"]]);
  });
  it("leave out what any Connection header names, wherever it stands (RFC 9110 section 7.6.1)", () => {
    const raw = ["x-hop", "1", "Connection", "close, X-Hop", "x-stay", "2", "connection", " X-Other ", "X-Other", "3"];
    expect(namesOf(toFunctionHeaders(raw))).toEqual(["x-stay"]);
  });
  it.each([
    ["a line break", "a\r\nx-injected: 1"],
    ["a line feed", "a\nb"],
    ["a NUL", "a\0b"],
    ["a delete", "a\x7fb"],
    ["a character beyond latin-1", "a\u0100b"],
  ])("are refused with %s in a value", (_what, value) => {
    expect(codeOf(() => toFunctionHeaders(["x-a", value]))).toBe("invalid_header");
  });
  it.each(["", "x a", "x:a", "x\r\na", "ä", 'x"'])("are refused with the name %j", (name) => {
    expect(codeOf(() => toFunctionHeaders([name, "1"]))).toBe("invalid_header");
  });
  it("are bounded in number and bytes, those that are left out included (I11)", () => {
    const many = (count: number, name: (at: number) => string) =>
      Array.from({ length: count }, (_, at) => [name(at), "1"]).flat();
    expect(toFunctionHeaders(many(limits.headerCount, (at) => `x-${at}`))).toHaveLength(limits.headerCount);
    expect(codeOf(() => toFunctionHeaders(many(limits.headerCount + 1, (at) => `x-${at}`)))).toBe("headers_too_large");
    expect(codeOf(() => toFunctionHeaders(many(limits.headerCount + 1, (at) => `x-call-${at}`)))).toBe(
      "headers_too_large",
    );
    const fits = "a".repeat(limits.headerBytes - 1);
    expect(toFunctionHeaders(["x", fits])).toEqual([["x", fits]]);
    expect(codeOf(() => toFunctionHeaders(["x", `${fits}a`]))).toBe("headers_too_large");
  });
});

describe("the headers that a function answers", () => {
  it("lose hop-by-hop and reserved names, and keep the rest as it is", () => {
    const list = toAnswerHeaders([
      ["Content-Type", "text/plain"],
      ["Set-Cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["Connection", "close"],
      ["Content-Length", "999"],
      ["X-Fnbus-Error", "forged"],
      ["X-Function-Status", "200"],
    ]);
    expect(list).toEqual([
      ["content-type", "text/plain"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
  });
  it("are the function's fault where they could split the answer (I9)", () => {
    expect(codeOf(() => toAnswerHeaders([["x-a", "1\r\nset-cookie: stolen=1"]]))).toBe("function_result_invalid");
    expect(codeOf(() => toAnswerHeaders([["x a", "1"]]))).toBe("function_result_invalid");
    const many: HeaderList = Array.from({ length: limits.headerCount + 1 }, (_, at) => [`x-${at}`, "1"]);
    expect(codeOf(() => toAnswerHeaders(many))).toBe("function_result_invalid");
    expect(codeOf(() => toAnswerHeaders([["x", "a".repeat(limits.headerBytes)]]))).toBe("function_result_invalid");
  });
  it("never hold a line break, whatever a function sets", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }))), (list) => {
        try {
          for (const [name, value] of toAnswerHeaders(list)) expect(`${name}${value}`).not.toMatch(/[\r\n\0]/);
        } catch (error) {
          if (!(error instanceof FnbusError)) throw error;
        }
      }),
    );
  });
});
