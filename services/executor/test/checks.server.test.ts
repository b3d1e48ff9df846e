import { buckets, type CheckAnswer, type CheckQuestion, subjects } from "@fnbus/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Platform, startPlatform, startTestExecutor, type TestExecutor } from "./platform.ts";
import { toZip } from "./zip.ts";

let platform: Platform;
let executor: TestExecutor;
let count = 0;
beforeAll(async () => {
  platform = await startPlatform();
  executor = await startTestExecutor(platform);
});
afterAll(async () => {
  await executor.stop();
  await platform.stop();
});

async function check(
  runtime: "nodejs" | "python",
  files: Record<string, string>,
  more: Partial<CheckQuestion> & { modes?: Record<string, number> } = {},
): Promise<CheckAnswer> {
  const { modes, ...asked } = more;
  const object = `check-${++count}`;
  await (await platform.bus.objects(buckets.code)).put(object, toZip(files, modes));
  const question: CheckQuestion = {
    ...{
      runtime,
      object,
      style: "event",
      handler: "index.handler",
      initializer: "",
      environment: {},
      isolation: "any",
    },
    ...asked,
  };
  const answer = await platform.bus.request(subjects.check("shared"), Buffer.from(JSON.stringify(question)), {
    timeoutMs: 20_000,
  });
  return JSON.parse(Buffer.from(answer.data).toString()) as CheckAnswer;
}

test.each([
  ["nodejs", { "index.js": "exports.handler = () => 1;" }],
  [
    "nodejs",
    {
      "index.mjs": "import { x } from './lib/x.mjs'; export const handler = () => x;",
      "lib/x.mjs": "export const x = 1;",
    },
  ],
  ["nodejs", { "index.js": "export const handler = () => 1;" }],
  ["python", { "index.py": "from lib import x\ndef handler(event, context): return x", "lib.py": "x = 1" }],
] as const)("code that loads is fit without a warning (%s)", async (runtime, files) => {
  expect(await check(runtime, files)).toEqual({ ok: true, warnings: [] });
});

test.each([
  ["nodejs", { "index.js": "exports.handler = () => 1;\nconst = 2;" }, 2],
  ["nodejs", { "index.mjs": "export const handler = () => 1;\n\nlet x y;" }, 3],
  ["python", { "index.py": "def handler(event, context):\n    return (1" }, 2],
] as const)("source that does not parse is refused with its line (%s)", async (runtime, files, line) => {
  expect(await check(runtime, files)).toMatchObject({ ok: false, code: "source_invalid", details: { line } });
});

test.each([
  ["nodejs", { "other.js": "exports.handler = () => 1;" }, { file: "index" }],
  ["nodejs", { "index.js": "exports.run = () => 1;" }, { export: "handler" }],
  ["python", { "other.py": "x = 1" }, { file: "index" }],
  ["python", { "index.py": "handler = 1" }, { export: "handler" }],
] as const)(
  "a handler that is not there is refused, and what was looked for is named (%s)",
  async (runtime, files, details) => {
    expect(await check(runtime, files)).toMatchObject({ ok: false, code: "handler_missing", details });
  },
);

test("an error at import is a warning: it may be right at run time", async () => {
  const answer = await check("python", { "index.py": "import os\nx = os.environ['LATER']\ndef handler(e, c): pass" });
  expect(answer).toMatchObject({ ok: true, warnings: [expect.stringContaining("KeyError")] });
});

test("an initializer is looked for and not run", async () => {
  const files = { "index.js": "exports.handler = () => 1; exports.init = () => { throw new Error('ran'); };" };
  expect(await check("nodejs", files, { initializer: "index.init" })).toEqual({ ok: true, warnings: [] });
  expect(await check("nodejs", files, { initializer: "index.none" })).toMatchObject({ code: "handler_missing" });
});

test("an archive that is none, leaves its folder or holds a link is refused again here", async () => {
  const good = { "index.js": "exports.handler = () => 1;" };
  expect(await check("nodejs", { ...good, "../../escaped.js": "x" })).toMatchObject({ ok: false });
  expect(await check("nodejs", { ...good, link: "/etc/shadow" }, { modes: { link: 0o120777 } })).toMatchObject({
    ok: false,
    code: "zip_symlink",
  });
  await (await platform.bus.objects(buckets.code)).put("no-zip", Buffer.from("no zip"));
  expect(await check("nodejs", good, { object: "no-zip" })).toMatchObject({ ok: false, code: "zip_invalid" });
});
