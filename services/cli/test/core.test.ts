import { describe, expect, test } from "vitest";
import { checkOptions, readDurationMs, readNumber, readPairs, readRepeated } from "../src/core/arguments.ts";
import { exitCodes, toExitCode } from "../src/core/exit-codes.ts";
import { guessHandler } from "../src/core/guess.ts";
import { distance, suggest } from "../src/core/suggest.ts";
import { toBytes, toDuration, toTable, toUploadLine } from "../src/core/text.ts";

describe("suggestions", () => {
  const names = ["deploy", "invoke", "invocations", "logs", "functions"];
  test.each([
    ["invok", "invoke"],
    ["dpeloy", "deploy"],
    ["log", "logs"],
    ["inv", "invoke"],
    ["zzz", undefined],
  ])("%s means %s", (given, meant) => expect(suggest(given, names)).toBe(meant));
  test("two swapped letters are one mistake", () => expect(distance("dpeloy", "deploy")).toBe(1));
});

describe("options", () => {
  const args = {
    name: { type: "positional", required: true },
    data: { type: "string", alias: "d" },
    async: { type: "boolean", alias: "a" },
  } as const;
  test("what may be repeated is read in every way of writing it, up to --", () => {
    const argv = ["--env", "A=1", "-e", "B=x=y", "--env=C=", "--", "--env", "D=4"];
    const found = readRepeated(argv, "--env", "-e");
    expect(readPairs(found, "=", "--env")).toEqual({ A: "1", B: "x=y", C: "" });
  });
  test("a header is cut at its first colon", () => {
    expect(readPairs(["X-A: b: c"], ":", "--header")).toEqual({ "X-A": "b: c" });
    expect(() => readPairs(["nothing"], ":", "--header")).toThrow(/--header takes name:value/);
  });
  test("an unknown option is refused with the one that was meant", () => {
    expect(() => checkOptions(["x", "--dta", "1"], args, ["x"])).toThrow(
      'Unknown option --dta. Did you mean "--data"?',
    );
    expect(() => checkOptions(["x", "-d", "-5", "--async"], args, ["x"])).not.toThrow();
    expect(() => checkOptions(["x", "y"], args, ["x", "y"])).toThrow('Unexpected argument "y"');
  });
  test("times and numbers", () => {
    expect([readDurationMs("500ms", "-t"), readDurationMs("2m", "-t"), readDurationMs("3", "-t")]).toEqual([
      500, 120_000, 3000,
    ]);
    expect(() => readDurationMs("soon", "--timeout")).toThrow(/--timeout takes a time/);
    expect(() => readNumber("-1", "--memory")).toThrow(/--memory takes a number/);
  });
});

describe("I9: the exit code says whose fault it was", () => {
  test.each([
    [{ side: "platform", status: 503 }, exitCodes.platform],
    [{ side: "function", status: 500 }, exitCodes.function],
    [{ side: "caller", status: 401 }, exitCodes.refused],
    [{ side: "caller", status: 404 }, exitCodes.notFound],
    [{ side: "platform", status: 0 }, exitCodes.platform],
  ] as const)("%o", (error, code) => expect(toExitCode(error)).toBe(code));
});

describe("runtime and handler by the files", () => {
  const guess = (files: Record<string, string>) => guessHandler(Object.keys(files), (name) => files[name]!);
  test.each([
    [
      { "index.js": "exports.handler = async () => {}" },
      { runtime: "nodejs", handler: "index.handler", style: "event" },
    ],
    [
      { "index.mjs": "export async function handle(req) {}" },
      { runtime: "nodejs", handler: "index.handle", style: "request" },
    ],
    [{ "handler.py": "async def handle(req):\n" }, { runtime: "python", handler: "handler.handle", style: "request" }],
    [
      { "README.md": "", "work.py": "def handler(e, c):\n" },
      { runtime: "python", handler: "work.handler", style: "event" },
    ],
    [{ "a.py": "", "b.py": "" }, undefined],
    [{ "README.md": "" }, undefined],
  ])("%o", (files, expected) => expect(guess(files as Record<string, string>)).toEqual(expected));
});

test("columns are as wide as their widest cell", () => {
  expect(toTable(["A", "B"], [["long", "x"]])).toEqual(["A     B", "long  x"]);
});

test("an upload tells its share, and what follows when it is over", () => {
  expect(toUploadLine(500_000, 2_000_000)).toBe("Uploading 2.0 MB … 25 %");
  expect(toUploadLine(2_000_000, 2_000_000)).toBe("Uploaded 2.0 MB; an executor looks at it …");
});

test("sizes and durations for people", () => {
  expect([toBytes(999), toBytes(1234), toBytes(2_500_000)]).toEqual(["999 B", "1.2 kB", "2.5 MB"]);
  expect([toDuration(1.23), toDuration(250), toDuration(1500)]).toEqual(["1.2 ms", "250 ms", "1.5 s"]);
});
