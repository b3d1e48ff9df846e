import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@fnbus/client";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalPlatform, startLocal } from "../../../deploy/local/test/start-local.ts";
import { readArchive } from "../src/out/archive.ts";

const bin = fileURLToPath(new URL("../bin/fnbus.js", import.meta.url));
let folder: string;
let platform: LocalPlatform;
let client: Client;

const env = () => {
  const { FNBUS_URL: _url, FNBUS_API_KEY: _key, ...rest } = process.env;
  return rest;
};

/** Starts `fnbus` and lets it run until it is interrupted as by Ctrl-C. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: env(), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    output: () => output,
    interrupt: () => {
      child.kill("SIGINT");
      return exited;
    },
  };
}

const writeCode = (answer: string) =>
  writeFileSync(
    join(folder, "code", "index.js"),
    `exports.handler = async (event) => { console.log("line", event.n); return ${JSON.stringify(answer)}; };`,
  );
const answerOf = async (name: string) =>
  Buffer.from((await client.invoke("default", name, { body: '{"n":0}' })).body).toString();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fnbus-cli-"));
  mkdirSync(join(folder, "code"));
  writeCode("first");
  platform = await startLocal(join(folder, ".fnbus"));
  client = createClient({ url: platform.url, apiKey: platform.adminKey() });
});
afterAll(async () => {
  platform.signal("SIGINT");
  await platform.exited;
  rmSync(folder, { recursive: true, force: true });
});

test("deploy --watch deploys again after each change, tells what is refused and goes on, and ends with Ctrl-C", async () => {
  const watching = start("deploy", "watched", "code", "--watch");
  await until("it watches", () => watching.output().includes("Watching"), 20_000);
  expect(await answerOf("watched")).toContain("first");
  writeFileSync(join(folder, "code", "index.js"), "exports.other = 1;");
  await until("the refusal is told", () => watching.output().includes("Not deployed"), 20_000);
  writeCode("second");
  await until("the second is deployed", async () => (await answerOf("watched")).includes("second"), 20_000);
  expect(await watching.interrupt()).toBe(0);
});

test("logs --follow shows lines as they are written, and ends with Ctrl-C", async () => {
  execFileSync(process.execPath, [bin, "deploy", "followed", "code"], { cwd: folder, env: env() });
  await client.invoke("default", "followed", { body: '{"n":1}' });
  const following = start("logs", "followed", "--follow");
  await until("what was written before is shown", () => following.output().includes("line 1"), 20_000);
  await client.invoke("default", "followed", { body: '{"n":2}' });
  await until("what is written now is shown", () => following.output().includes("line 2"), 20_000);
  expect(await following.interrupt()).toBe(0);
  expect(following.output().match(/line 1/g)).toHaveLength(1);
});

test("a ZIP archive is deployed by what it holds", async () => {
  writeFileSync(join(folder, "code.zip"), (await readArchive(join(folder, "code"))).bytes);
  const out = execFileSync(process.execPath, [bin, "deploy", "zipped", "code.zip", "--json"], {
    cwd: folder,
    env: env(),
  });
  expect(JSON.parse(out.toString())).toMatchObject({ settings: { runtime: "nodejs", handler: "index.handler" } });
  expect(await answerOf("zipped")).toContain("second");
});

/** Runs a command on a terminal of its own (util-linux). */
const onTerminal = "/usr/bin/script";

test.skipIf(!existsSync(onTerminal))("on a terminal an upload shows its share", () => {
  writeFileSync(join(folder, "code", "data.bin"), randomBytes(8_000_000));
  const command = [process.execPath, bin, "deploy", "large", "code"].join(" ");
  const out = execFileSync(onTerminal, ["-qec", command, "/dev/null"], { cwd: folder, env: env(), encoding: "utf8" });
  expect(out).toMatch(/Uploading 8\.0 MB … [1-9]\d? %/);
  expect(out).toContain("Uploaded 8.0 MB");
});
