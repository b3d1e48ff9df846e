import { setTimeout as sleep } from "node:timers/promises";
import { buckets, type FunctionSettings, type LogLine, limits, subjects } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CUT_MARK } from "../src/core/log-lines.ts";
import { type Platform, startPlatform, startTestExecutor, type TestExecutor } from "./platform.ts";

let platform: Platform;
let executor: TestExecutor;
let lines: LogLine[];
beforeAll(async () => {
  platform = await startPlatform({ maxPayload: "2MB" });
  executor = await startTestExecutor(platform);
  platform.bus.subscribe(subjects.logsOf, (message) => {
    lines.push(...(JSON.parse(Buffer.from(message.data).toString()) as LogLine[]));
  });
});
beforeEach(() => {
  lines = [];
});
afterAll(async () => {
  await executor.stop();
  await platform.stop();
});

const deploy = (runtime: "nodejs" | "python", source: string, more: Partial<FunctionSettings> = {}) =>
  platform.deploy(
    { runtime, handler: "index.handler", ...more },
    { [runtime === "nodejs" ? "index.js" : "index.py"]: source },
  );

describe.each([
  [
    "nodejs",
    "exports.handler = async (n) => { console.log('out', n); await new Promise((r) => setTimeout(r, 50)); console.error('err', n); };",
    "exports.handler = (lines) => { for (let n = 0; n < lines; n++) process.stdout.write('x'.repeat(1023) + '\\n'); };",
  ],
  [
    "python",
    "import sys, time\ndef handler(n, c):\n    print('out', n); time.sleep(0.05); print('err', n, file=sys.stderr)",
    "def handler(lines, c):\n    for _ in range(lines): print('x' * 1023)",
  ],
] as const)("output of %s", (runtime, talking, flooding) => {
  test("goes to logs.<space>.<name>, each line with its invocation, also where calls run together", async () => {
    const concurrency = { limit: 10, perInstance: 4, prestart: 0 };
    const found = await deploy(runtime, talking, { concurrency });
    const ids = await Promise.all(
      [1, 2, 3].map(async (n) => {
        const id = `00000000-0000-7000-8000-00000000000${n}`;
        await platform.call(found, String(n), { id });
        return id;
      }),
    );
    await until("all lines", () => lines.length >= 6);
    for (const [index, id] of ids.entries()) {
      const own = lines.filter(({ invocation }) => invocation === id);
      expect(own.map(({ stream, text }) => [stream, text]).sort()).toEqual([
        ["stderr", `err ${index + 1}`],
        ["stdout", `out ${index + 1}`],
      ]);
    }
    expect(lines[0]).toMatchObject({ function: found.definition.name, registryId: found.definition.id });
    expect(lines[0]!.instance).toMatch(new RegExp(`^${executor.name}-\\d+$`));
  });

  test("over its limit is cut, with a mark, and the next call writes again", async () => {
    const found = await deploy(runtime, flooding);
    await platform.call(found, "1500");
    await platform.call(found, "1");
    await until(
      "the next call's line",
      () => lines.at(-1)?.text !== CUT_MARK && lines.some(({ text }) => text === CUT_MARK),
    );
    const marks = lines.filter(({ text }) => text === CUT_MARK);
    expect(marks.length).toBe(1);
    const bytes = lines.reduce((sum, { text }) => sum + text.length + 1, 0);
    expect(bytes).toBeGreaterThan(0.9 * limits.logBytesPerInvocation);
    expect(bytes).toBeLessThan(limits.logBytesPerInvocation + 4096);
    expect(lines.at(-1)!.invocation).not.toBe(marks[0]!.invocation);
  });

  test("a call that is over its time is told so: its handler of SIGTERM still writes", async () => {
    const source =
      runtime === "nodejs"
        ? "process.on('SIGTERM', () => console.log('told')); exports.handler = () => new Promise(() => {});"
        : "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: print('told'))\ndef handler(e, c): time.sleep(60)";
    const found = await deploy(runtime, source, { timeoutMs: 300 });
    expect((await platform.call(found)).reply).toMatchObject({ result: { error: { code: "function_timeout" } } });
    await until("the line", () => lines.some(({ text }) => text === "told"));
  });
});

test("an answer that no message can carry goes by reference", async () => {
  const bytes = platform.bus.maxPayload;
  const found = await deploy("nodejs", "exports.handler = (n) => Buffer.alloc(n, 'x');");
  const { reply, body } = await platform.call(found, String(bytes));
  if (!reply.ok) throw new Error(reply.code);
  expect(body.length).toBe(0);
  expect(reply.result.bodyReference).toMatchObject({ bucket: buckets.bodies, bytes });
  const bodies = await platform.bus.objects(buckets.bodies);
  expect((await bodies.get(reply.result.bodyReference!.name))?.length).toBe(bytes);
});

test("a result says how much memory the instance uses, and follows it within a second or two", async () => {
  const found = await deploy(
    "nodejs",
    "const all = []; exports.handler = (mb) => { all.push(Buffer.alloc(mb * 1048576, 1)); };",
    { memoryMb: 512 },
  );
  const used = async (megabytes: number) => {
    const { reply } = await platform.call(found, String(megabytes));
    if (!reply.ok) throw new Error(reply.code);
    return reply.result.memoryUsedMb!;
  };
  const before = await used(1);
  expect(before).toBeGreaterThan(5);
  expect(before).toBeLessThan(100);
  await used(100);
  await sleep(1_100);
  expect(await used(1)).toBeGreaterThan(before + 90);
});
