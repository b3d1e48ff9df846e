import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createId,
  decodeEntryPack,
  encodeEntryPack,
  encodeFrame,
  type ResultEntry,
  type ResultsHead,
  subjects,
} from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Platform, startPlatform, startTestExecutor, toMeta } from "./platform.ts";

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.stop());

const processes = () => execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" }).split("\n");
const groupsOf = (executorPid: number) =>
  execFileSync("find", ["/sys/fs/cgroup", "-type", "d", "-name", `fnbus-${executorPid}-*`], { encoding: "utf8" });

test("killed, an executor leaves no process behind; its groups and folder are swept by the next (I10)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fnbus-killed-"));
  const child = spawn(process.execPath, [join(import.meta.dirname, "../src/main.ts")], {
    env: {
      NATS_URL: platform.url,
      FNBUS_EXECUTOR_FOLDER: folder,
      FNBUS_EXECUTOR_POOL: "killed",
      PATH: process.env.PATH,
    },
    stdio: "ignore",
  });
  const found = await platform.deploy(
    { runtime: "python", handler: "index.handler", pool: "killed" },
    {
      "index.py":
        'import subprocess, time\ndef handler(e, c):\n    if e: subprocess.Popen(["/bin/sleep", "765432"], start_new_session=True); time.sleep(60)',
    },
  );
  await until("it serves", () =>
    platform.call(found).then(
      ({ reply }) => reply.ok,
      () => false,
    ),
  );
  platform.call(found, "true").catch(() => {});
  await until("the grandchild runs", () => processes().some((line) => line.includes("sleep 765432")));
  expect(groupsOf(child.pid!)).not.toBe("");
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
  await until(
    "no process is left",
    () => !processes().some((line) => /sleep 765432/.test(line) || line.includes(folder)),
  );

  const next = await startTestExecutor(platform, { FNBUS_EXECUTOR_FOLDER: folder, FNBUS_EXECUTOR_POOL: "killed" });
  expect(groupsOf(child.pid!)).toBe("");
  expect(readdirSync(folder).length).toBe(1);
  await next.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a stop ends within the drain time, although no ledger takes what it holds", async () => {
  const executor = await startTestExecutor(platform, { FNBUS_DRAIN_MS: "3000" });
  const found = await platform.deploy(
    { runtime: "nodejs", handler: "index.handler" },
    { "index.js": "exports.handler = () => 1;" },
  );
  await platform.call(found);
  const id = createId();
  let results = 0;
  const listening = platform.bus.subscribe(subjects.results(0), (message) => {
    results += decodeEntryPack<ResultsHead, ResultEntry>(Buffer.from(message.data)).entries.length;
  });
  const frame = encodeFrame({ meta: toMeta(found, { id }), body: new Uint8Array(0) });
  platform.bus.publish(
    subjects.work(executor.name),
    encodeEntryPack({ partition: 0, epoch: 1, number: 1 }, [
      { meta: { type: "run", id, attempt: 1, leftMs: 60_000 }, body: frame },
    ]),
  );
  await until("its result is there", () => results > 0);
  const began = performance.now();
  await executor.stop();
  expect(performance.now() - began).toBeGreaterThan(900);
  expect(performance.now() - began).toBeLessThan(3_000);
  listening.unsubscribe();
});
