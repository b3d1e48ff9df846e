import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@fnbus/client";
import { until } from "@fnbus/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalPlatform, newDataFolder, pidOf, startLocal, stillRunning } from "./start-local.ts";

const inline = { source: { files: { "index.js": "exports.handler = async (event) => ({ got: event });" } } };

let data: ReturnType<typeof newDataFolder>;
let running: LocalPlatform[];
beforeEach(() => {
  data = newDataFolder();
  running = [];
});
afterEach(async () => {
  for (const platform of running) {
    const left = platform.descendants();
    platform.signal("SIGKILL");
    await platform.exited;
    await until("processes gone", () => stillRunning(left).length === 0, 10_000);
  }
  data.remove();
});

async function start(...args: string[]): Promise<LocalPlatform> {
  const platform = await startLocal(data.folder, args);
  running.push(platform);
  return platform;
}

const clientOf = (platform: LocalPlatform) => createClient({ url: platform.url, apiKey: platform.adminKey() });

async function deploy(platform: LocalPlatform): Promise<void> {
  const definition = { name: "hello", runtime: "nodejs", handler: "index.handler", ...inline } as const;
  await clientOf(platform).functions.create("default", definition);
}

describe("npm start", () => {
  test("brings up the whole platform, says where it is in under ten lines, and calls a function", async () => {
    const platform = await start();
    const ours = platform
      .output()
      .trim()
      .split("\n")
      .filter((line) => !line.includes(" | "));
    expect(ours.length, ours.join("\n")).toBeLessThan(10);
    expect(platform.output()).toContain(platform.url);
    await deploy(platform);
    const answer = await clientOf(platform).invoke("default", "hello", { body: '{"a":1}' });
    expect(answer.status).toBe(200);
  });

  test("keeps its secrets from others: folder 0700, key and passwords 0600", async () => {
    const { adminKey } = await start("--only", "gateway");
    expect(adminKey()).toMatch(/^fnb_/);
    expect(statSync(data.folder).mode & 0o777).toBe(0o700);
    for (const file of ["admin-key", "signing-secret", "nats-password-ledger", "nats/nats.conf", "platform.json"])
      expect(statSync(join(data.folder, file)).mode & 0o777).toBe(0o600);
  });

  test("killed with -9 it leaves no process behind, and started again it has lost nothing", async () => {
    const first = await start();
    await deploy(first);
    const { id } = await clientOf(first).invokeAsync("default", "hello", { body: "{}" });
    const below = first.descendants();
    expect(below.length).toBeGreaterThan(10);
    first.signal("SIGKILL");
    // At once: the new start waits for what the old one leaves on this folder.
    const second = await start();
    expect(stillRunning(below)).toEqual([]);
    // Refused until a ledger owns the partition again: the lease of the killed one must be over.
    const state = () =>
      clientOf(second)
        .invocations.get("default", id, 20)
        .then((found) => found.state)
        .catch((error: Error) => error.message);
    await until("the accepted invocation succeeds", async () => (await state()) === "succeeded", 40_000);
    expect(second.adminKey()).toBe(first.adminKey());
  });

  test("L19: after a kill -9 nobody waits for the leases of the dead", async () => {
    const first = await start();
    await deploy(first);
    first.signal("SIGKILL");
    const second = await start();
    const startedAt = performance.now();
    const { id } = await clientOf(second).invokeAsync("default", "hello", { body: "{}" });
    expect((await clientOf(second).invocations.get("default", id, 20)).state).toBe("succeeded");
    // A ledger's lease is five seconds.
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  test("stops on Ctrl-C with exit code 0 and leaves nothing", async () => {
    const platform = await start();
    const below = platform.descendants();
    platform.signal("SIGINT");
    expect(await platform.exited, platform.output()).toBe(0);
    await until("processes gone", () => stillRunning(below).length === 0, 3_000);
  });

  test("a second one on the same folder is refused, and told which runs", async () => {
    const first = await start("--only", "gateway");
    const second = await startLocal(data.folder, ["--only", "gateway"]);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`Another platform runs on ${data.folder} (${first.url}, process ${first.pid})`);
  });

  test("a service that is killed is started again", async () => {
    const platform = await start("--only", "gateway");
    process.kill(pidOf("services/gateway", platform), "SIGKILL");
    await until("restart told", () => platform.output().includes("gateway ended"), 5_000);
    await until(
      "gateway back",
      () =>
        clientOf(platform)
          .whoami()
          .then(
            () => true,
            () => false,
          ),
      15_000,
    );
  });
});

test("wrong use is told with exit code 2, a taken port with one to take, which events leave to the gateway", async () => {
  const wrong = await startLocal(data.folder, ["--prt", "1"]);
  expect(await wrong.exited).toBe(2);
  expect(wrong.output()).toContain("Unknown: --prt");
  const first = await start("--only", "gateway");
  const other = newDataFolder();
  const second = await startLocal(other.folder, ["--port", new URL(first.url).port, "--only", "gateway"]);
  expect(await second.exited).toBe(1);
  const [, advised] = /Port \d+ .* is taken\. Choose another: npm start -- --port (\d+)/.exec(second.output())!;
  const names = ["--only", "gateway,event-ingest"];
  const third = await startLocal(other.folder, ["--port", advised!, ...names], { FNBUS_INGEST_PORT: advised! });
  running.push(third);
  const { eventsUrl } = JSON.parse(readFileSync(join(other.folder, "platform.json"), "utf8")) as { eventsUrl: string };
  expect(new URL(eventsUrl).port).not.toBe(advised);
  third.signal("SIGINT");
  expect(await third.exited).toBe(0);
  other.remove();
});
