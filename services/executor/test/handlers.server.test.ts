import type { FunctionSettings, RunResult } from "@fnbus/contract";
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

type Settings = Partial<FunctionSettings> & Pick<FunctionSettings, "runtime">;
async function run(
  settings: Settings,
  source: string,
  body = "",
  meta = {},
): Promise<{ result: RunResult; text: string }> {
  const file = settings.runtime === "nodejs" ? "index.js" : "index.py";
  const handler = settings.style === "request" ? "index.handle" : "index.handler";
  const deployed = await platform.deploy({ handler, ...settings }, { [file]: source });
  const { reply, body: answer } = await platform.call(deployed, body, meta);
  if (!reply.ok) throw new Error(`${reply.code}: ${reply.message}`);
  return { result: reply.result, text: answer.toString() };
}

describe("event handlers (wire-compatibility.md 4.1)", () => {
  test.each([
    ["an async function", "exports.handler = async (event) => event;"],
    ["a callback", "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, event), 1); };"],
    ["an ES module", "export const handler = (event) => event;"],
  ])("of Node.js answer as %s", async (_name, source) => {
    const { result, text } = await run({ runtime: "nodejs" }, source, '{"a":[1,"ü"]}');
    expect(text).toBe('{"a":[1,"ü"]}');
    expect(result).toMatchObject({ statusCode: 200, headers: [["content-type", "application/json"]] });
  });

  test.each([
    ["", "{}"],
    ["no json", "no json"],
    ["[1,2]", "[1,2]"],
  ])("get the event of body %j", async (body, text) => {
    expect((await run({ runtime: "nodejs" }, "exports.handler = (e) => e;", body)).text).toBe(text);
    expect((await run({ runtime: "python" }, "def handler(e, c): return e", body)).text).toBe(text);
  });

  test("fail by callback in FunctionGraph's words", async () => {
    const source = "exports.handler = (e, c, callback) => callback(new TypeError('bad'));";
    const { result, text } = await run({ runtime: "nodejs" }, source);
    expect(result.error).toMatchObject({ code: "function_threw", type: "TypeError" });
    expect(JSON.parse(text)).toEqual({ errorMessage: "function entry exception, error: bad", errorType: "TypeError" });
  });

  test.each([
    [
      "nodejs",
      "exports.init = () => { globalThis.ready = 1 }; exports.handler = (e, c) => [globalThis.ready, c.getUserData('K'), c.getRunningTimeInSeconds(), c.getMemorySize(), c.getPackage(), c.getVersion(), c.getRequestID().length, c.getRemainingTimeInMilliSeconds() > 1000, process.env.RUNTIME_CODE_ROOT, process.env.K];",
    ],
    [
      "python",
      "import os\nready = 0\ndef init(context):\n  global ready\n  ready = 1\ndef handler(e, c): return [ready, c.getUserData('K'), c.getRunningTimeInSeconds(), c.getMemorySize(), c.getPackage(), c.getVersion(), len(c.getRequestID()), c.getRemainingTimeInMilliSeconds() > 1000, os.environ['RUNTIME_CODE_ROOT'], os.environ['K']]",
    ],
  ] as const)("of %s see context, environment and what the initializer made", async (runtime, source) => {
    const { text } = await run({ runtime, initializer: "index.init", environment: { K: "v" } }, source);
    expect(JSON.parse(text)).toEqual([1, "v", 60, 128, "default", "1", 36, true, "/opt/function/code", "v"]);
  });
});

describe("request handlers (wire-compatibility.md 7.3)", () => {
  const meta = { method: "PUT", path: "/stock/today", query: "company=a%20b&n=1&n=2", headers: [["x-one", "1"]] };
  test.each([
    [
      "nodejs",
      "exports.handle = (req) => ({ statusCode: 201, headers: { 'x-two': ['a', 'b'] }, body: { m: req.method, p: req.path, q: req.query, h: req.headers['x-one'], b: req.body.toString() } });",
    ],
    [
      "nodejs",
      "exports.handle = async (req) => ({ status: 201, headers: [['x-two', 'a'], ['x-two', 'b']], body: JSON.stringify({ m: req.method, p: req.path, q: req.query, h: req.headers['x-one'], b: String(req.body) }) });",
    ],
    [
      "python",
      "def handle(req):\n  return {'status_code': 201, 'headers': {'x-two': ['a', 'b']}, 'body': {'m': req.method, 'p': req.path, 'q': req.query, 'h': req.headers['x-one'], 'b': req.body.decode()}}",
    ],
    [
      "python",
      "async def handle(req):\n  return {'status': 201, 'headers': [('x-two', 'a'), ('x-two', 'b')], 'body': {'m': req.method, 'p': req.path, 'q': req.query, 'h': req.headers['x-one'], 'b': req.body.decode()}}",
    ],
  ] as const)("of %s see the request, and status, headers and body are theirs", async (runtime, source) => {
    const { result, text } = await run({ runtime, style: "request" }, source, "raw", meta);
    expect(JSON.parse(text)).toEqual({
      m: "PUT",
      p: "/stock/today",
      q: { company: "a b", n: ["1", "2"] },
      h: "1",
      b: "raw",
    });
    expect(result.statusCode).toBe(201);
    expect(result.headers).toEqual(
      expect.arrayContaining([
        ["x-two", "a"],
        ["x-two", "b"],
      ]),
    );
  });

  test("a status or header that cannot be sent is the function's fault", async () => {
    for (const answer of [
      "{ status: 99 }",
      "{ status: 200, headers: { 'x-a': 'b\\r\\nx-c: d' } }",
      "{ status: '200' }",
    ]) {
      const { result } = await run({ runtime: "nodejs", style: "request" }, `exports.handle = () => (${answer});`);
      expect(result.error?.code).toBe("function_result_invalid");
    }
  });
});

describe("an instance", () => {
  test("stays warm between calls", async () => {
    const deployed = await platform.deploy(
      { runtime: "nodejs", handler: "index.handler" },
      { "index.js": "let n = 0; exports.handler = () => ++n;" },
    );
    const answers = [];
    for (let call = 0; call < 3; call++) answers.push((await platform.call(deployed)).body.toString());
    expect(answers).toEqual(["1", "2", "3"]);
  });

  test.each([
    [
      "nodejs",
      "index.js",
      "exports.handler = async () => { await new Promise((r) => setTimeout(r, 200)); return process.pid; };",
    ],
    ["python", "index.py", "import time, os\ndef handler(e, c):\n  time.sleep(0.2)\n  return os.getpid()"],
    [
      "python",
      "index.py",
      "import asyncio, os\nasync def handler(e, c):\n  await asyncio.sleep(0.2)\n  return os.getpid()",
    ],
  ] as const)("of %s runs as many calls at once as it may, and no more", async (runtime, file, source) => {
    const together = await platform.deploy(
      { runtime, handler: "index.handler", concurrency: { limit: 100, perInstance: 8, prestart: 0 } },
      { [file]: source },
    );
    await platform.call(together);
    const began = performance.now();
    await Promise.all(Array.from({ length: 8 }, () => platform.call(together)));
    expect(performance.now() - began).toBeLessThan(600);
    const alone = await platform.deploy(
      { runtime, handler: "index.handler", concurrency: { limit: 1, perInstance: 1, prestart: 0 } },
      { [file]: source },
    );
    const [first, second] = await Promise.all([platform.call(alone), platform.call(alone)]);
    expect([first.reply.ok, second.reply.ok].sort()).toEqual([false, true]);
    expect([first, second].find(({ reply }) => !reply.ok)?.reply).toMatchObject({ code: "concurrency_limited" });
  });

  test("of new code takes the next call; the old one ends", async () => {
    const deployed = await platform.deploy(
      { runtime: "nodejs", handler: "index.handler", environment: { V: "1" } },
      { "index.js": "exports.handler = () => process.env.V;" },
    );
    expect((await platform.call(deployed)).body.toString()).toBe("1");
    const settings = { ...deployed.definition.settings, environment: { V: "2" } };
    const updated = await platform.registry.updateFunction(
      { ...deployed.definition, settings, updatedAt: Date.now() + 1 },
      deployed.revision,
    );
    expect((await platform.call(updated)).body.toString()).toBe("2");
  });

  test("a call whose own deadline passes first is the caller's, not the function's", async () => {
    const deployed = await platform.deploy(
      { runtime: "nodejs", handler: "index.handler" },
      { "index.js": "exports.handler = () => new Promise(() => {});" },
    );
    const { reply } = await platform.call(deployed, "", { deadlineMs: 300 });
    expect(reply).toMatchObject({ ok: false, code: "deadline_exceeded" });
  });
});
