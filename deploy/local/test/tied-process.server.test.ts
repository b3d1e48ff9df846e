import { execFileSync, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startTied } from "../src/processes/tied-process.ts";

const marker = () => `tied-test-${process.pid}-${Math.random().toString(36).slice(2)}`;
const start = (mark: string, script: string, onLine: (line: string) => void = () => {}) =>
  startTied("/bin/sh", ["-c", script, mark], { marker: mark, env: { PATH: process.env.PATH }, onLine });
const countOf = (mark: string) =>
  execFileSync("ps", ["-ww", "-e", "-o", "command="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(mark)).length;

async function until(what: () => boolean, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(50)) if (what()) return true;
  return what();
}

test("its exit code and its lines arrive", async () => {
  const lines: string[] = [];
  const tied = start(marker(), "echo one; echo two >&2; printf three; exit 7", (line) => lines.push(line));
  expect(await tied.exited).toBe(7);
  await until(() => lines.length === 3, 1000);
  expect(lines.toSorted()).toEqual(["one", "three", "two"]);
});

test("a command that does not exist ends with 127", async () => {
  const tied = startTied("/no/such/program", [], { marker: marker(), env: {}, onLine: () => {} });
  expect(await tied.exited).toBe(127);
});

test("a line without an end is cut, not kept", async () => {
  const lines: string[] = [];
  const tied = start(marker(), "head -c 100000 /dev/zero | tr '\\0' x", (line) => lines.push(line));
  await tied.exited;
  await until(() => lines.length > 0, 1000);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(17_000);
});

test("a process that ignores SIGTERM is killed with its children when patience is over", async () => {
  const mark = marker();
  const tied = start(mark, `trap '' TERM; sh -c 'sleep 600' ${mark}-child & while :; do sleep 600; done`);
  await until(() => countOf(mark) >= 3, 2000);
  const startedAt = Date.now();
  await tied.stop(300);
  expect(Date.now() - startedAt).toBeLessThan(2000);
  expect(await until(() => countOf(mark) === 0, 1000)).toBe(true);
});

test.each(["exec sleep 600", "trap '' TERM; while :; do sleep 600; done"])(
  "no process outlives a parent that is killed with -9: %s",
  async (script) => {
    const mark = marker();
    const module = fileURLToPath(new URL("../src/processes/tied-process.ts", import.meta.url));
    const source = `import { startTied } from ${JSON.stringify(module)};
      startTied("/bin/sh", ["-c", ${JSON.stringify(script)}, process.argv[1]], { marker: process.argv[1], env: process.env, onLine() {} });
      console.log("started"); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", source, mark], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => parent.stdout.once("data", resolve));
    expect(await until(() => countOf(mark) >= 2, 2000)).toBe(true);
    parent.kill("SIGKILL");
    expect(await until(() => countOf(mark) === 0, 4000)).toBe(true);
  },
);
