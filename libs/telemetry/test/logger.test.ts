import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const logger = new URL("../src/logger.ts", import.meta.url).href;

/** What a process writes that logs this expression. */
const logged = (expression: string): string =>
  execFileSync(process.execPath, [
    "--input-type=module",
    "-e",
    `import { createLogger } from ${JSON.stringify(logger)}; createLogger("test").warn(${expression}, "text");`,
  ]).toString();

test.each([
  ["a header", '{ headers: { authorization: "the secret" } }'],
  ["a password", '{ password: "the secret" }'],
  [
    "the command of a Redis client that was refused",
    '{ err: Object.assign(new Error("WRONGPASS"), { command: { name: "hello", args: ["3", "AUTH", "x", "the secret"] } }) }',
  ],
])("%s is logged without its secret", (_what, expression) => {
  const line = logged(expression);
  expect(JSON.parse(line)).toMatchObject({ level: 40, service: "test", msg: "text" });
  expect(line).not.toContain("the secret");
});
