import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repository } from "./planted.ts";

/** Calls that make the same input give another output: the clock, randomness, timers. They are arguments in core/. */
const impure =
  /\b(Date\.now\(|new Date\(\)|Math\.random\(|randomBytes\(|randomUUID\(|performance\.now\(|setTimeout\(|setInterval\(|setImmediate\(|hrtime\b|createId\(\))/;

it.each([
  ["Date.now()", true],
  ["Math.random()", true],
  ["setTimeout(() => {}, 5)", true],
  ["new Date(atMs)", false],
  ["createHash('sha256')", false],
])("%s is impure: %s", (text, expected) => {
  expect(impure.test(text)).toBe(expected);
});

it("core/ reads no clock, no randomness and sets no timer", () => {
  const offending = globSync("services/*/src/core/**/*.ts", { cwd: repository }).flatMap((file) =>
    readFileSync(join(repository, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (impure.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
  );
  expect(offending).toEqual([]);
});
