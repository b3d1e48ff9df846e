import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Client, createClient } from "@fnbus/client";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalPlatform, newDataFolder, pidOf, startLocal } from "./start-local.ts";

const source = `
let broken = true;
exports.handler = async (event) => {
  console.log("got it");
  if (event.mend) broken = false;
  if (event.fail && broken) throw new Error("no");
  if (event.waitMs) await new Promise((done) => setTimeout(done, event.waitMs));
  return event;
};
`;
/** Over what goes into an envelope: it takes the way by the store of large bodies (L24), there and back. */
const large = JSON.stringify({ text: "x".repeat(400_000) });

const data = newDataFolder();
let platform: LocalPlatform;
let client: Client;
const delivered: { id: string; bytes: number }[] = [];
const target = createServer(async (request, response) => {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  delivered.push({ id: String(request.headers["webhook-id"]), bytes });
  response.end();
});

beforeAll(async () => {
  target.listen(0, "127.0.0.1");
  await once(target, "listening");
  platform = await startLocal(data.folder);
  client = createClient({ url: platform.url, apiKey: platform.adminKey() });
  const definition = { name: "f", runtime: "nodejs", handler: "index.handler" } as const;
  const retry = { maxAttempts: 2, firstDelayMs: 50, factor: 1, maxDelayMs: 50, jitter: 0, on: [] };
  await client.functions.create("default", { ...definition, retry, ...{ source: { files: { "index.js": source } } } });
});
afterAll(async () => {
  platform.signal("SIGINT");
  await platform.exited;
  target.close();
  data.remove();
});

/** The broker tells whatever it refuses a user. */
const violations = () =>
  platform
    .output()
    .split("\n")
    .filter((line) => line.includes("Violation"));
const ended = async (id: string) => (await client.invocations.get("default", id, 20)).state;

test("I10: every way through the platform is within each service's own permissions", async () => {
  expect((await client.invoke("default", "f", { body: large })).body.length).toBe(large.length);

  const callbackUrl = `http://127.0.0.1:${(target.address() as AddressInfo).port}/done`;
  const { id } = await client.invokeAsync("default", "f", { body: large, callbackUrl });
  expect(await ended(id)).toBe("succeeded");
  expect((await client.invocations.result("default", id)).body.length).toBe(large.length);
  await until("the callback came", () => delivered.length === 1, 10_000);
  await until(
    "its end is known",
    async () => (await client.invocations.get("default", id)).callback?.state === "delivered",
  );
  await client.invocations.redriveCallback("default", id);
  await until("it came again", () => delivered.length === 2, 10_000);

  const failing = await client.invokeAsync("default", "f", { body: '{"fail":true}' });
  expect(await ended(failing.id)).toBe("dead-lettered");
  await client.invoke("default", "f", { body: '{"mend":true}' });
  const again = await client.invocations.redrive("default", failing.id);
  expect(["succeeded", "dead-lettered"]).toContain(await ended(again.id));

  const slow = await client.invokeAsync("default", "f", { body: '{"waitMs":60000}' });
  await client.invocations.cancel("default", slow.id);
  await until("it is cancelled", async () => (await ended(slow.id)) === "cancelled", 20_000);

  const lines: string[] = [];
  await until("its lines are stored", async () => {
    for await (const line of client.logs("default", "f")) lines.push(line.text);
    return lines.includes("got it");
  });
  const { id: key } = await client.keys.create({ name: "k", scopes: ["function.invoke"] });
  await client.keys.revoke(key);
  expect((await client.invocations.list("default")).data.length).toBeGreaterThan(3);
  expect(violations()).toEqual([]);
});

test("I10: services that are killed come back within their permissions, and what is left can be deleted", async () => {
  for (const name of ["ledger", "callback-dispatcher", "executor"])
    process.kill(pidOf(`services/${name}/src/main`, platform), "SIGKILL");
  await until("restarts told", () => platform.output().includes("executor ended"), 10_000);
  const { id } = await client.invokeAsync("default", "f", { body: "{}" });
  await until("it succeeds", async () => (await ended(id)) === "succeeded", 40_000);
  await client.functions.delete("default", "f");
  expect(violations()).toEqual([]);
});
