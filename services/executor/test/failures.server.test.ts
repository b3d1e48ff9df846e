import type { RegisteredFunction } from "@fnbus/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Platform, startPlatform, startTestExecutor, type TestExecutor } from "./platform.ts";

let platform: Platform;
let executor: TestExecutor;
beforeAll(async () => {
  platform = await startPlatform();
  executor = await startTestExecutor(platform);
});
afterAll(async () => {
  await executor.stop();
  await platform.stop();
});

/** The body names what the function does; "ok" answers. */
const node = `
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const ways = {
  ok: () => "fine",
  throw: () => { const value = undefined; return value.missing; },
  exit: () => process.exit(3),
  kill: () => process.kill(process.pid, "SIGKILL"),
  hang: () => { for (;;); },
  never: () => new Promise(() => {}),
  rejection: async () => { Promise.reject(new Error("nobody awaits me")); await new Promise((r) => setTimeout(r, 500)); },
  flood: () => { const line = "x".repeat(1000) + "\\n"; for (let n = 0; n < 20000; n++) process.stdout.write(line); return "flooded"; },
  large: () => "x".repeat(7 * 1024 * 1024),
  invalid: () => 1n,
  frame: async () => { fs.writeSync(3, "this is no frame at all, but long enough"); await new Promise((r) => setTimeout(r, 2000)); },
  memory: () => { const all = []; for (let n = 0; n < 4000; n++) all.push(Buffer.alloc(1024 * 1024, n)); return all.length; },
  forks: async () => { for (let n = 0; n < 500; n++) { try { spawn("/bin/sleep", ["30"]).on("error", () => {}); } catch {} } await new Promise((r) => setTimeout(r, 300)); return "survived"; },
  grandchild: async () => { spawn("/usr/bin/setsid", ["/bin/sleep", "987654"], { detached: true, stdio: "ignore" }).unref(); await new Promise(() => {}); },
};
exports.handler = (event) => ways[event]();
`;
const python = `
import os, signal, subprocess, sys, time, asyncio
def missing(): return {}["value"]
def hang():
    while True: pass
def flood():
    line = b"x" * 1000 + b"\\n"
    for _ in range(20000): os.write(1, line)
    return "flooded"
def frame():
    os.write(3, b"this is no frame at all, but long enough"); time.sleep(2)
def memory():
    all = []
    for n in range(4000): all.append(bytes([n % 255]) * 1048576)
def forks():
    for _ in range(500):
        try: subprocess.Popen(["/bin/sleep", "30"])
        except OSError: pass
    return "survived"
def grandchild():
    subprocess.Popen(["/bin/sleep", "987655"], start_new_session=True); time.sleep(60)
def ok(): return "fine"
ways = dict(ok=ok, throw=missing, exit=lambda: sys.exit(3), kill=lambda: os.kill(os.getpid(), 9), hang=hang,
  never=lambda: time.sleep(60), flood=flood, large=lambda: "x" * (7 * 1024 * 1024), invalid=lambda: object(),
  frame=frame, memory=memory, forks=forks, grandchild=grandchild)
def handler(event, context):
    return ways[event]()
`;

const limits = { timeoutMs: 1_500, memoryMb: 128 };

describe.each([
  ["nodejs", "index.js", node],
  ["python", "index.py", python],
] as const)("%s: each failure has its own code, and the next invocation works (I9)", (runtime, file, source) => {
  let deployed: RegisteredFunction;
  beforeAll(async () => {
    deployed = await platform.deploy({ runtime, handler: "index.handler", ...limits }, { [file]: source });
  });

  const run = async (way: string) => {
    const { reply, body } = await platform.call(deployed, JSON.stringify(way));
    if (!reply.ok) throw new Error(`not run: ${reply.code} ${reply.message}`);
    return { result: reply.result, text: body.toString() };
  };

  test.each([
    ["throw", "function_threw"],
    ["exit", "function_exited"],
    ["kill", "function_exited"],
    ["hang", "function_timeout"],
    ["never", "function_timeout"],
    ["large", "function_result_too_large"],
    ["invalid", "function_result_invalid"],
    ["frame", "function_protocol"],
    ["memory", "function_out_of_memory"],
    ["grandchild", "function_timeout"],
    ...(runtime === "nodejs" ? [["rejection", "function_rejection"]] : []),
  ])("%s is %s", async (way, code) => {
    const failed = await run(way!);
    expect(failed.result.error?.code).toBe(code);
    expect(failed.result.statusCode).toBe(0);
    const next = await run("ok");
    expect(next.result.error).toBeUndefined();
    expect(next.text).toBe("fine");
  });

  test("a flood of output neither blocks nor fails the call", async () => {
    expect((await run("flood")).text).toBe("flooded");
    expect((await run("ok")).text).toBe("fine");
  });

  test("a fork bomb is stopped by the instance's limit of processes, not by the machine's", async () => {
    const { result, text } = await run("forks");
    expect([undefined, "function_exited", "function_threw", "function_rejection", "function_timeout"]).toContain(
      result.error?.code,
    );
    if (!result.error) expect(text).toBe("survived");
    expect((await run("ok")).text).toBe("fine");
  });

  test("an exception tells type, line and code of the function's own source", async () => {
    const { result, text } = await run("throw");
    expect(result.error?.details).toMatchObject({
      exception_type: runtime === "nodejs" ? "TypeError" : "KeyError",
      exception_line_number: runtime === "nodejs" ? 6 : 3,
      exception_line_code: expect.stringContaining("missing"),
    });
    expect(JSON.parse(text)).toMatchObject({
      errorMessage: expect.stringMatching(/^function invocation exception, error: /),
      errorType: result.error?.type,
      stackTrace: expect.any(Array),
    });
  });
});

describe("what cannot be loaded", () => {
  const load = async (runtime: "nodejs" | "python", source: string, more = {}) => {
    const files = { [runtime === "nodejs" ? "index.mjs" : "index.py"]: source };
    const deployed = await platform.deploy({ runtime, handler: "index.handler", ...limits, ...more }, files);
    const { reply } = await platform.call(deployed);
    return reply.ok ? reply.result.error : undefined;
  };
  test.each([
    ["nodejs", "import 'no-such-module'; export const handler = () => 1;", {}, "function_load_failed"],
    ["nodejs", "export const other = () => 1;", {}, "function_handler_missing"],
    [
      "nodejs",
      "export const handler = () => 1; export const init = () => { throw new Error('x') };",
      { initializer: "index.init" },
      "function_init_failed",
    ],
    [
      "nodejs",
      "export const handler = () => 1; export const init = () => { for (;;); };",
      { initializer: "index.init", initializerTimeoutMs: 500 },
      "function_init_timeout",
    ],
    ["python", "import no_such_module\ndef handler(e, c): pass", {}, "function_load_failed"],
    ["python", "def other(e, c): pass", {}, "function_handler_missing"],
    [
      "python",
      "def handler(e, c): pass\ndef init(c): raise ValueError('x')",
      { initializer: "index.init" },
      "function_init_failed",
    ],
    [
      "python",
      "def handler(e, c): pass\ndef init(c):\n  while True: pass",
      { initializer: "index.init", initializerTimeoutMs: 500 },
      "function_init_timeout",
    ],
  ] as const)("%s %s", async (runtime, source, more, code) => {
    expect((await load(runtime, source, more))?.code).toBe(code);
  });
});
