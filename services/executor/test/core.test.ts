import { createId, errorRow, limits, type WorkEntry } from "@fnbus/contract";
import { describe, expect, test } from "vitest";
import { readAnswer } from "../src/core/answer.ts";
import { readFailure, toExitError } from "../src/core/failures.ts";
import { createFrameReader, encodeRunnerFrames, FrameFault, frameTypes, type RunnerFrame } from "../src/core/frames.ts";
import { createHeldWork } from "../src/core/held-work.ts";
import { toLaunch } from "../src/core/launch.ts";
import { CUT_MARK, createLineReader, type OutputLine } from "../src/core/log-lines.ts";
import { toAsyncResult } from "../src/core/results.ts";
import { countToStart, PATIENCE_MS } from "../src/core/scaling.ts";
import { createShares, EXECUTOR_LEASE_MS } from "../src/core/shares.ts";

describe("frames of descriptor 3", () => {
  const stream = encodeRunnerFrames([
    { type: frameTypes.ready, call: 0, json: '{"protocol":1}' },
    { type: frameTypes.result, call: 7, json: '{"s":200,"h":["ü"]}', body: Buffer.from("büdy") },
    { type: frameTypes.failed, call: 4_294_967_295, json: "{}", body: Buffer.alloc(300, 1) },
  ]);
  const readAll = (chunks: Buffer[]): RunnerFrame[] => {
    const frames: RunnerFrame[] = [];
    const read = createFrameReader((frame) => frames.push({ ...frame, body: Buffer.from(frame.body) }));
    for (const chunk of chunks) read(chunk);
    return frames;
  };

  test("come out the same wherever the stream is cut", () => {
    const whole = readAll([stream]);
    expect(whole.map(({ type, call }) => [type, call])).toEqual([
      [16, 0],
      [18, 7],
      [19, 4_294_967_295],
    ]);
    expect([whole[1]!.json, whole[1]!.body.toString()]).toEqual(['{"s":200,"h":["ü"]}', "büdy"]);
    for (let at = 1; at < stream.length; at++)
      expect(readAll([stream.subarray(0, at), stream.subarray(at)])).toEqual(whole);
    expect(readAll([...stream].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  test("that do not add up are a fault, never a wait for gigabytes", () => {
    for (const bytes of [Buffer.alloc(16), Buffer.alloc(16, 255), Buffer.from("GET / HTTP/1.1\r\n\r\n")])
      expect(() => readAll([bytes])).toThrow(FrameFault);
    const longJson = encodeRunnerFrames([{ type: frameTypes.result, call: 1, json: "{}" }]);
    longJson.writeUInt32LE(3, 9);
    expect(() => readAll([longJson])).toThrow(FrameFault);
  });
});

describe("what a runner tells", () => {
  test("a failure may not carry one of the platform's codes (I9)", () => {
    expect(readFailure('{"code":"function_threw","message":"m"}')).toEqual({ code: "function_threw", message: "m" });
    for (const json of ['{"code":"executor_lost"}', '{"code":"function_timeout"}', "null", "[]", "no json"])
      expect(readFailure(json).code).toBe("function_protocol");
  });

  test("I11: headers of megabytes are refused unread", () => {
    const h = Array.from({ length: 100_000 }, (_, at) => [`x-${at}`, "b"]);
    expect(readAnswer(JSON.stringify({ s: 200, h }), 0)).toMatchObject({
      error: { code: "function_result_invalid", message: expect.stringContaining("too large") },
    });
    expect(readAnswer(`{"s":200,"h":[],"x":"${"y".repeat(1_000_000)}"}`, 0)).toMatchObject({
      error: { code: "function_result_invalid" },
    });
  });

  test("an answer is judged before it leaves", () => {
    expect(readAnswer('{"s":204,"h":[["X-A","b"]]}', 0)).toEqual({ statusCode: 204, headers: [["x-a", "b"]] });
    const codeOf = (json: string, bytes = 0) => {
      const answer = readAnswer(json, bytes);
      return "error" in answer ? answer.error.code : undefined;
    };
    for (const json of ['{"s":99,"h":[]}', '{"s":200}', '{"s":200,"h":[["a"]]}', '{"s":200,"h":[["a","b\\nc"]]}'])
      expect(codeOf(json)).toBe("function_result_invalid");
    expect(codeOf('{"s":200,"h":[]}', limits.responseBodyBytes + 1)).toBe("function_result_too_large");
    expect(codeOf("null")).toBe("function_result_invalid");
    expect(codeOf("{")).toBe("function_protocol");
  });

  test("an end without an answer is out of memory only where the kernel or V8 says so", () => {
    const exit = { code: null, signal: "SIGKILL" };
    expect(toExitError(exit, true, "").code).toBe("function_out_of_memory");
    expect(toExitError(exit, false, "").code).toBe("function_exited");
    expect(toExitError(exit, false, "FATAL ERROR: … JavaScript heap out of memory").code).toBe(
      "function_out_of_memory",
    );
  });
});

describe("output", () => {
  const readLines = (text: string | Buffer) => {
    const lines: OutputLine[] = [];
    let dropped = 0;
    const reader = createLineReader(
      (line) => lines.push(line),
      (count) => (dropped += count),
    );
    reader.read(Buffer.from(text as string));
    reader.end();
    return { lines, dropped };
  };

  test("belongs to the call that the last mark named", () => {
    expect(readLines("boot\n\x001\na\nb\n\x002\nc").lines).toEqual([
      { call: 0, text: "boot" },
      { call: 1, text: "a" },
      { call: 1, text: "b" },
      { call: 2, text: "c" },
    ]);
  });

  test("over a call's limit is cut with a mark, and the next call's is whole (I11)", () => {
    const line = `${"x".repeat(9_999)}\n`;
    const { lines, dropped } = readLines(`\u00001\n${line.repeat(200)}\u00002\nafter\n`);
    expect(lines.filter(({ text }) => text === CUT_MARK)).toHaveLength(1);
    expect(lines.at(-1)).toEqual({ call: 2, text: "after" });
    expect(lines.length + dropped).toBe(201);
  });

  test("without an end of line is split, not collected (I11)", () => {
    const { lines } = readLines("y".repeat(3 * limits.logLineBytes + 5));
    expect(lines.map(({ text }) => text.length)).toEqual([
      limits.logLineBytes,
      limits.logLineBytes,
      limits.logLineBytes,
      5,
    ]);
  });
});

describe("held work", () => {
  const run = (id: string, attempt = 1) => ({
    meta: { type: "run", id, attempt, leftMs: 1 } as WorkEntry,
    body: Buffer.alloc(0),
  });
  const result = { statusCode: 200, headers: [], startedAt: 0, durationMs: 0, cold: false, executor: "e" };

  test("a new epoch counts from 1, and hears every result again at once (L19, L21)", () => {
    const held = createHeldWork(10);
    const id = createId();
    held.apply({ partition: 0, epoch: 1, number: 1 }, [run(id)], false);
    expect(held.end(id, 1, result, Buffer.alloc(0))).toBe(true);
    expect(held.due(1_000)).toHaveLength(1);
    expect(held.due(1_500)).toHaveLength(0);
    held.seeEpoch(0, 2);
    expect(held.due(1_501)).toMatchObject([{ partition: 0, epoch: 2, applied: 0 }]);
    expect(held.apply({ partition: 0, epoch: 2, number: 1 }, [], false)).toBeDefined();
    expect(held.apply({ partition: 0, epoch: 1, number: 2 }, [run(createId())], false)).toBeUndefined();
  });

  test("the same attempt is never started twice, a later one only after the earlier ended", () => {
    const held = createHeldWork(10);
    const id = createId();
    const apply = (number: number, attempt: number) =>
      held.apply({ partition: 0, epoch: 1, number }, [run(id, attempt)], false)!;
    expect(apply(1, 1).start).toHaveLength(1);
    expect(apply(2, 1).start).toHaveLength(0);
    expect(apply(3, 2)).toMatchObject({ start: [], refuse: [{ why: "full" }] });
    held.end(id, 1, result, Buffer.alloc(0));
    expect(apply(4, 2).start).toHaveLength(1);
    expect(held.end(id, 1, result, Buffer.alloc(0))).toBe(false);
  });

  test("forgotten while it runs: it is stopped, and its result is nobody's (L16)", () => {
    const held = createHeldWork(10);
    const id = createId();
    held.apply({ partition: 0, epoch: 1, number: 1 }, [run(id)], false);
    const forget = { meta: { type: "forget", ids: [id] } as WorkEntry, body: Buffer.alloc(0) };
    expect(held.apply({ partition: 0, epoch: 1, number: 2 }, [forget], false)?.forget).toEqual([id]);
    expect(held.end(id, 1, result, Buffer.alloc(0))).toBe(false);
    expect(held.size).toBe(0);
  });
});

test("a function's share of synchronous calls is its limit divided by the executors that live", () => {
  const shares = createShares({ executor: "a", pool: "shared" });
  const say = (executor: string, more = {}) =>
    shares.hear({ executor, pool: "shared", draining: false, ...more } as never, 1_000);
  expect(shares.of(10, 1_000)).toBe(10);
  say("a");
  say("b");
  say("c", { pool: "other" });
  expect(shares.of(5, 1_000)).toBe(3);
  say("b", { draining: true });
  expect(shares.of(5, 1_000)).toBe(5);
  say("b");
  expect(shares.of(5, 1_001 + EXECUTOR_LEASE_MS)).toBe(5);
});

test("a queue that drains by itself starts no further instance; one that stands starts a few at a time", () => {
  const load = { queued: 64, waitedMs: 0, instances: 1, starting: 0, perInstance: 1 };
  expect(countToStart({ ...load, queued: 0, instances: 0 })).toBe(0);
  expect(countToStart({ ...load, instances: 0 })).toBe(1);
  expect(countToStart(load)).toBe(0);
  expect(countToStart({ ...load, waitedMs: PATIENCE_MS })).toBe(4);
  expect(countToStart({ ...load, waitedMs: PATIENCE_MS, starting: 3 })).toBe(1);
  expect(countToStart({ ...load, waitedMs: PATIENCE_MS, perInstance: 64 })).toBe(1);
});

test("a launch inherits nothing of ours, and shares the network only where it is asked for (I10)", () => {
  const paths = { node: "/n", python: "/p", runtimes: "/r" };
  const launch = (network: boolean) =>
    toLaunch({ level: "sandbox", user: "nobody" }, paths, { runtime: "python", network, home: "/h", groups: ["/g"] });
  expect(Object.keys(launch(true).env).sort()).toEqual(["HOME", "LANG", "PATH", "TMPDIR"]);
  expect(launch(true).args).toContain("--share-net");
  expect(launch(false).args).not.toContain("--share-net");
  expect(launch(false).args).toEqual(
    expect.arrayContaining(["--unshare-all", "--cap-drop", "--die-with-parent", "setpriv"]),
  );
});

test("an asynchronous run that was lost with its instance is the platform's to repeat (I9)", () => {
  const { result } = toAsyncResult({ kind: "not-run", code: "instance_lost", message: "lost" }, "executor-1", 5);
  expect(result).toMatchObject({ statusCode: 0, executor: "executor-1", error: { code: "instance_lost" } });
  expect(errorRow(result.error!.code)).toMatchObject({ side: "platform", retry: "later", status: 502 });
});
