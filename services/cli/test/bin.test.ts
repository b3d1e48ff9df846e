import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const bin = fileURLToPath(new URL("../bin/fnbus.js", import.meta.url));

const run = (node: string, ...args: string[]): Promise<{ code: number; err: string }> =>
  new Promise((resolve) =>
    execFile(node, [...args, bin, "invok"], (error, _out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, err }),
    ),
  );
/** Only what has read the whole program answers so. */
const answered = { code: 2, err: expect.stringContaining('Did you mean "invoke"?') };

/** Says that it is Node 20, and can read as little TypeScript. */
const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.0.0" } })';

test("an old Node hands over to the project's own, with the arguments, and passes on its exit code", async () => {
  expect(await run(process.execPath, "--no-strip-types", "--import", `data:text/javascript,${old}`)).toEqual(answered);
});

test("without the hand-over a Node that reads no TypeScript fails: the test above can fail", async () => {
  expect((await run(process.execPath, "--no-strip-types")).code).toBe(1);
});

const system = "/usr/bin/node";
const isOld =
  existsSync(system) &&
  Number.parseInt(execFileSync(system, ["-p", "process.versions.node"], { encoding: "utf8" }), 10) < 24;
test.skipIf(!isOld)("this machine's own old Node will do", async () => {
  expect(await run(system)).toEqual(answered);
});
