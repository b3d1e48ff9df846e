import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalPlatform, startLocal } from "../../../deploy/local/test/start-local.ts";

const bin = fileURLToPath(new URL("../bin/fnbus.js", import.meta.url));
let folder: string;
let platform: LocalPlatform;

/** Runs `fnbus` below the data folder, so that it finds the platform by itself. */
const fnbus = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const { FNBUS_URL: _url, FNBUS_API_KEY: _key, ...env } = process.env;
    execFile(process.execPath, [bin, ...args], { cwd: folder, env }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fnbus-cli-"));
  writeFileSync(join(folder, "index.js"), "exports.handler = async (e) => { console.log('hi'); return { got: e }; };");
  writeFileSync(join(folder, "bad.py"), "def handle(req):\n    raise ValueError('no')\n");
  platform = await startLocal(join(folder, ".fnbus"));
});
afterAll(async () => {
  platform.signal("SIGINT");
  await platform.exited;
  rmSync(folder, { recursive: true, force: true });
});

test("deploy, invoke, invoke --async --wait, look up, logs: a whole round", async () => {
  const deployed = await fnbus("deploy", "hello", "index.js", "--env", "A=1", "--json");
  expect(deployed.err).toBe("");
  expect(JSON.parse(deployed.out)).toMatchObject({
    status: "Running",
    settings: { handler: "index.handler", environment: { A: "1" } },
  });
  const called = await fnbus("invoke", "hello", "-d", '{"name":"Ada"}');
  expect([called.code, called.out]).toEqual([0, expect.stringContaining("Ada")]);
  const waited = await fnbus("invoke", "hello", "--async", "--wait", "--json", "-d", "{}");
  expect(waited.code).toBe(0);
  const { id } = JSON.parse(waited.out) as { id: string };
  expect((await fnbus("invocations", "get", id)).out).toMatch(/state\s+succeeded/);
  expect((await fnbus("invocations", "list")).out).toContain(id);
  expect((await fnbus("logs", "hello")).out).toContain("hi");
});

test("I9: a function that fails is exit code 4, one that is not there 5, a platform that is not there 3", async () => {
  expect((await fnbus("deploy", "bad", "bad.py")).code).toBe(0);
  expect((await fnbus("invoke", "bad", "-d", "1")).code).toBe(4);
  expect((await fnbus("invoke", "bad", "--async", "--wait", "-d", "1")).code).toBe(4);
  expect((await fnbus("invoke", "nosuch")).code).toBe(5);
  const gone = { ...process.env, FNBUS_URL: "http://127.0.0.1:1" };
  const code = await new Promise((resolve) =>
    execFile(process.execPath, [bin, "functions", "list"], { env: gone }, (error) => resolve(error?.code)),
  );
  expect(code).toBe(3);
});

test("what is refused is exit code 1 with what to do, wrong use 2 with what was meant", async () => {
  const refused = await fnbus("deploy", "hello", "index.js", "--handler", "index.nope", "--json");
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.err)).toMatchObject({ error: { code: "handler_missing", side: "caller" } });
  expect(await fnbus("invok")).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean "invoke"?') });
});

test("keys are made, used and revoked", async () => {
  const made = JSON.parse((await fnbus("keys", "create", "ci", "--scopes", "function.invoke", "--json")).out) as {
    id: string;
    key: string;
  };
  expect(made.key).toMatch(/^fnb_/);
  expect((await fnbus("keys", "list")).out).toContain(made.id);
  expect((await fnbus("keys", "revoke", made.id)).code).toBe(0);
  expect((await fnbus("keys", "list")).out).toMatch(new RegExp(`${made.id}.*revoked`));
});

test("doctor tells what it found, and the services of the running platform", async () => {
  const { code, out } = await fnbus("doctor", "--json");
  const { checks } = JSON.parse(out) as { checks: { name: string; state: string }[] };
  expect(code).toBe(0);
  for (const name of ["NATS server", "Redis server", "isolation", "memory limits", "disk", "gateway", "ledger"])
    expect(checks.map((check) => check.name)).toContain(name);
});
