import { createBacklog } from "@fnbus/publisher";
import { codeOf } from "@fnbus/testing";
import { describe, expect, it } from "vitest";
import { createArchiveRules } from "../src/core/archive-rules.ts";
import { toMeta } from "../src/core/envelope.ts";
import { createExecutors } from "../src/core/executors.ts";
import { toEntrypoint } from "../src/core/handler.ts";
import { toNamePage } from "../src/core/paging.ts";
import { toRedriven } from "../src/core/redriven.ts";
import { mergeSettings, toSettings } from "../src/core/settings.ts";
import { fromBase64 } from "../src/core/source.ts";
import { functionOf, settings } from "./definitions.ts";

const files = (texts: Record<string, string>) => ({ names: Object.keys(texts), textOf: (name: string) => texts[name] });

describe("code as base64", () => {
  it("may be broken into lines, and is refused where it is none", () => {
    expect(fromBase64("aGVs\nbG8 =\n").toString()).toBe("hello");
    for (const text of ["aGVs!", "a=b", "aGVsbG8===", "=a"]) expect(codeOf(() => fromBase64(text))).toBe("zip_invalid");
  });

  it("I11: megabytes that are no base64 are refused in the time that reading them takes", () => {
    const began = performance.now();
    expect(codeOf(() => fromBase64(`${" ".repeat(2_000_000)}!`))).toBe("zip_invalid");
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("the handler of code that was sent without one", () => {
  it.each<[Record<string, string>, object]>([
    [{ "index.js": "exports.handler = 1" }, { runtime: "nodejs", handler: "index.handler", style: "event" }],
    [
      { "index.mjs": "export async function handle(req) {}" },
      { runtime: "nodejs", handler: "index.handle", style: "request" },
    ],
    [{ "handler.py": "def handle(req):\n  pass" }, { runtime: "python", handler: "handler.handle", style: "request" }],
    [
      { "main.py": "def handler(event, context):\n  handle()" },
      { runtime: "python", handler: "main.handler", style: "event" },
    ],
    [
      { "lib/index.js": "", "main.js": "exports.handle = 1; exports.handler = 2" },
      { handler: "main.handler", style: "event" },
    ],
  ])("is read from %j", (texts, expected) => expect(toEntrypoint({}, files(texts))).toMatchObject(expected));

  it.each<[Parameters<typeof toEntrypoint>[0], Record<string, string>, string]>([
    [{}, { "lib/index.js": "" }, "handler_missing"],
    [{ handler: "index.handler" }, { "main.js": "" }, "handler_missing"],
    [{ handler: "../x.handler" }, { "x.js": "" }, "handler_invalid"],
    [{ runtime: "cobol" as "python", handler: "a.b" }, {}, "runtime_unknown"],
  ])("%j in %j is refused with %s", (given, texts, code) =>
    expect(codeOf(() => toEntrypoint(given, files(texts)))).toBe(code),
  );
});

describe("an archive", () => {
  const entry = (over = {}) => ({ name: "a.js", packedBytes: 10, unpackedBytes: 20, mode: 0o100644, ...over });
  it.each([
    [{ name: "../a" }, "zip_path_unsafe"],
    [{ name: "/a" }, "zip_path_unsafe"],
    [{ name: "a/../../b" }, "zip_path_unsafe"],
    [{ name: "C:\\a" }, "zip_path_unsafe"],
    [{ name: "a\u0000b" }, "zip_path_unsafe"],
    [{ mode: 0o120777 }, "zip_symlink"],
    [{ mode: 0o020666 }, "zip_path_unsafe"],
    [{ packedBytes: 1000, unpackedBytes: 50_000_000 }, "zip_too_large"],
    [{ packedBytes: 200_000_000, unpackedBytes: 300_000_000 }, "zip_too_large"],
    [{}, "nothing"],
  ])("with %j is %s", (over, code) => expect(codeOf(() => createArchiveRules().check(entry(over)))).toBe(code));

  it("of too many files is refused, however small they are", () => {
    const rules = createArchiveRules();
    for (let at = 0; at < 10_000; at++) rules.check(entry());
    expect(codeOf(() => rules.check(entry()))).toBe("zip_too_large");
  });
});

describe("settings", () => {
  const entrypoint = { runtime: "nodejs", handler: "index.handler", style: "event" } as const;
  it("of a change leave alone what it does not name", () => {
    const before = toSettings({ concurrency: { limit: 5 }, retry: { maxAttempts: 3 } }, entrypoint);
    expect(mergeSettings(before, { concurrency: { perInstance: 2 } })).toEqual({
      ...before,
      concurrency: { limit: 5, perInstance: 2, prestart: 0 },
    });
  });
  it.each([
    [{ environment: { A: "x".repeat(20_000) } }],
    [{ environment: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`A${at}`, ""])) }],
    [{ timeoutMs: 900_000, maxAgeMs: 1000 }],
    [{ retry: { firstDelayMs: 90_000 } }],
  ])("that cannot work together are refused", (input) =>
    expect(codeOf(() => toSettings(input, entrypoint))).toBe("limit_out_of_range"),
  );
});

describe("L23: what the ledger announced", () => {
  const said = {
    partition: 0,
    epoch: 2,
    owner: "o",
    fill: 0,
    keptKeys: 0,
    full: ["f"],
    unfinished: 0,
    accepted: 0,
    ended: 0,
  };
  it("is believed for five seconds, and not from an owner that was replaced", () => {
    const backlog = createBacklog();
    backlog.heard(said, 0);
    expect(codeOf(() => backlog.check(0, "f", false, 5000))).toBe("function_backlog_full");
    backlog.heard({ ...said, epoch: 1, full: [] }, 1000);
    expect(codeOf(() => backlog.check(0, "f", false, 2000))).toBe("function_backlog_full");
    expect(codeOf(() => backlog.check(0, "f", false, 5001))).toBe("nothing");
    expect(backlog.isHeard(0, 5001)).toBe(false);
  });
});

describe("another executor for a call", () => {
  it("is one of the pool that lives, does not drain, and is not the one that refused", () => {
    const executors = createExecutors();
    const one = {
      pool: "shared",
      capacity: 1,
      draining: false,
      isolation: "process",
      memoryLimits: false,
      partitions: {},
      warm: ["f"],
      calls: {},
    } as const;
    const announce = (executor: string, over: object = {}, at = 0) =>
      executors.heard({ ...one, warm: ["f"], executor, ...over }, at);
    announce("a");
    announce("draining", { draining: true });
    announce("elsewhere", { pool: "gpu" });
    expect(executors.other("shared", "a", 1, 0.9)).toBeUndefined();
    announce("b");
    expect(executors.warm("f", 1)).toBe(4);
    expect(executors.other("shared", "a", 1, 0.9)).toBe("b");
    expect(executors.other("shared", undefined, 6000, 0.5)).toBeUndefined();
  });
});

describe("pages of names", () => {
  it("go forth and back without a gap", () => {
    const names = Array.from({ length: 7 }, (_, at) => `n${at}`);
    const first = toNamePage(names, "", 3);
    const second = toNamePage(names, first.next, 3);
    const third = toNamePage(names, second.next, 3);
    expect([first.names, second.names, third.names].flat()).toEqual(names);
    expect(toNamePage(names, second.previous, 3).names).toEqual(first.names);
    expect([first.previous, third.next]).toEqual(["", ""]);
    expect(codeOf(() => toNamePage(names, "zz", 3))).toBe("invalid_request");
  });
});

describe("L12: a redrive", () => {
  it("is a new id derived from the first and its number, without the key and position", () => {
    const http = {
      method: "POST",
      target: { path: "/", query: "" },
      headers: [],
      call: { depth: 0, idempotencyKey: "k" },
    };
    const meta = toMeta("01900000-0000-7000-8000-000000000009", functionOf({ settings: settings() }), http, 1, 0);
    const redriven = toRedriven(meta, meta.id, 1, 7, 99);
    expect(redriven).toMatchObject({ redriveOf: meta.id, source: "redrive", revision: 7, acceptedAt: 99 });
    expect(redriven).not.toHaveProperty("idempotencyKey");
    expect(redriven.id).toBe(toRedriven(meta, meta.id, 1, 7, 100).id);
    expect(redriven.id).not.toBe(toRedriven(meta, meta.id, 2, 7, 100).id);
  });
});
