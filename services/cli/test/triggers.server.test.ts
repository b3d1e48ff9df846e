import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalPlatform, startLocal } from "../../../deploy/local/test/start-local.ts";

const bin = fileURLToPath(new URL("../bin/fnbus.js", import.meta.url));
let folder: string;
let platform: LocalPlatform;

/** Runs `fnbus` below the data folder, so that it finds the platform by itself. */
const fnbus = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const { FNBUS_URL: _url, FNBUS_API_KEY: _key, ...env } = process.env;
    const child = execFile(process.execPath, [bin, ...args], { cwd: folder, env }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
    child.stdin?.end("from stdin\n");
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fnbus-cli-"));
  writeFileSync(join(folder, "index.js"), "exports.handler = async (event) => ({ got: event });");
  writeFileSync(join(folder, "password"), "geheim\n");
  writeFileSync(join(folder, "config.json"), '{"host":"127.0.0.1","port":1,"topics":"a/#"}');
  platform = await startLocal(join(folder, ".fnbus"));
  expect((await fnbus("deploy", "report", "index.js", "--schedule", "0 3 * * *")).code).toBe(0);
});
afterAll(async () => {
  platform.signal("SIGINT");
  await platform.exited;
  rmSync(folder, { recursive: true, force: true });
});

test("a schedule: created, shown with its next runs, tested, run now", async () => {
  const made = await fnbus(
    "triggers",
    "create",
    "nightly",
    "--type",
    "timer",
    "-f",
    "report",
    "--schedule",
    "0 3 * * *",
  );
  expect([made.code, made.out]).toEqual([0, "nightly created\n"]);
  await until("it runs", async () => (await fnbus("triggers", "list")).out.includes("Running"));
  const shown = await fnbus("triggers", "show", "nightly");
  expect(shown.out).toMatch(/state\s+Running/);
  expect(shown.out.split("next runs")[1]!.match(/T03:00:00\.000Z/g)).toHaveLength(5);
  const ran = await fnbus("triggers", "run", "nightly");
  expect([ran.code, ran.err]).toEqual([0, expect.stringContaining("fnbus invocations get")]);
  expect((await fnbus("invocations", "wait", ran.out.trim())).code).toBe(0);
  const dry = await fnbus("triggers", "test", "nightly", "--dry-run");
  expect([dry.code, dry.out, dry.err]).toEqual([
    0,
    expect.stringContaining('"trigger_type":"TIMER"'),
    expect.stringContaining("nothing was"),
  ]);
  const tested = JSON.parse((await fnbus("triggers", "test", "nightly", "--dry-run", "--json")).out) as object[];
  expect(tested).toMatchObject([{ function: "report", kind: "event" }]);
});

test("a trigger is paused, resumed, changed and deleted", async () => {
  expect((await fnbus("triggers", "pause", "nightly")).out).toBe("nightly paused\n");
  expect((await fnbus("triggers", "list")).out).toMatch(/nightly\s+timer\s+Paused/);
  expect((await fnbus("triggers", "resume", "nightly")).out).toBe("nightly resumed\n");
  await fnbus("triggers", "change", "nightly", "--timezone", "Asia/Kolkata");
  const { config, runs } = JSON.parse((await fnbus("triggers", "show", "nightly", "--json")).out) as {
    config: object;
    runs: { runs: string[] }[];
  };
  expect(config).toEqual({ schedule: "0 3 * * *", timezone: "Asia/Kolkata" });
  expect(runs[0]!.runs[0]).toMatch(/T21:30:00/);
  expect((await fnbus("triggers", "delete", "nightly")).out).toBe("nightly deleted\n");
  expect((await fnbus("triggers", "show", "nightly")).code).toBe(5);
});

test("the cron trigger shows the next runs of every function that has a schedule", async () => {
  expect((await fnbus("triggers", "create", "--type", "cron")).out).toBe("cron created\n");
  expect((await fnbus("triggers", "show", "cron")).out).toMatch(/next runs\s+report {2}0 3 \* \* \*/);
  expect((await fnbus("triggers", "create", "--type", "cron")).code).toBe(1);
});

test("a broker that is not there: Failed with the reason; secrets come from files or stdin and are never shown", async () => {
  const options = ["--type", "mqtt", "--config", "config.json", "--username", "u"];
  const made = await fnbus("triggers", "create", "sensors", ...options, "--password-file", "password", "--json");
  expect(JSON.parse(made.out)).toMatchObject({ config: { topics: "a/#", username: "u" }, secrets: ["password"] });
  const piped = await fnbus("triggers", "create", "piped", ...options, "--password-file", "-");
  expect(piped.code).toBe(0);
  await until("it has failed", async () => /sensors\s+mqtt\s+Failed/.test((await fnbus("triggers", "list")).out));
  const shown = await fnbus("triggers", "show", "sensors");
  expect(shown.out).toMatch(/error\s+.*source_unreachable/);
  expect(`${made.out}${shown.out}`).not.toContain("geheim");
  expect((await fnbus("triggers", "change", "sensors", "--host", "thief")).code).toBe(1);
});

test("what is misspelt is guessed: types, triggers, functions, options of another type", async () => {
  const create = ["triggers", "create", "x"];
  const said = async (...args: string[]) => {
    const { code, err } = await fnbus(...args);
    return [code, err];
  };
  expect(await said(...create, "--type", "timr")).toEqual([2, expect.stringContaining('Did you mean "timer"?')]);
  expect(await said(...create, "--type", "timer", "--host", "b")).toEqual([
    2,
    expect.stringContaining("mqtt, rabbitmq"),
  ]);
  expect(await said(...create, "--type", "timer", "--schedule", "@daily", "-f", "repot")).toEqual([
    5,
    expect.stringContaining('Did you mean "report"?'),
  ]);
  expect(await said("invoke", "reprot")).toEqual([5, expect.stringContaining('Did you mean "report"?')]);
  expect(await said("functions", "get", "repor")).toEqual([5, expect.stringContaining('Did you mean "report"?')]);
  expect(await said("triggers", "show", "sensor")).toEqual([5, expect.stringContaining('Did you mean "sensors"?')]);
  expect(await said(...create, "--type", "timer", "--schedule", "61 * * * *", "-f", "report")).toEqual([
    1,
    expect.stringContaining("position: 1"),
  ]);
});
