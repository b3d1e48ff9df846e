import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bus, connectBus } from "@fnbus/bus";
import { createClient } from "@fnbus/client";
import { type BusClient, createBusClient } from "@fnbus/client/bus";
import { createRegistry, type Registry } from "@fnbus/registry";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalPlatform, newDataFolder, startLocal } from "./start-local.ts";

const data = newDataFolder();
let platform: LocalPlatform;
let bus: Bus;
let registry: Registry;
let client: BusClient;

beforeAll(async () => {
  platform = await startLocal(data.folder);
  const files = {
    "index.js": "exports.handler = async (event) => { if (event.fail) throw new Error('no'); return event; };",
  };
  const inline = { source: { files } };
  const definition = { name: "echo", runtime: "nodejs", handler: "index.handler", ...inline } as const;
  await createClient({ url: platform.url, apiKey: platform.adminKey() }).functions.create("default", definition);
  const { nats } = JSON.parse(readFileSync(join(data.folder, "ports.json"), "utf8")) as { nats: number };
  const password = readFileSync(join(data.folder, "nats-password-gateway"), "utf8").trim();
  bus = await connectBus({ servers: `nats://127.0.0.1:${nats}`, name: "gateway", user: "gateway", password });
  registry = await createRegistry(bus);
  client = createBusClient(bus, registry);
});
afterAll(async () => {
  await client.close();
  registry.stop();
  await bus.drain();
  platform.signal("SIGINT");
  await platform.exited;
  data.remove();
});

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test("a function is called over the bus alone, and its failure is a result of side function (I9)", async () => {
  const { result, body } = await client.invoke("default", "echo", { body: bytes({ a: 1 }), timeoutMs: 5_000 });
  expect([result.statusCode, JSON.parse(Buffer.from(body).toString())]).toEqual([200, { a: 1 }]);
  const failed = await client.invoke("default", "echo", { body: bytes({ fail: true }), timeoutMs: 5_000 });
  expect(failed.result.error?.code).toBe("function_threw");
});

test("I1: an accepted call comes to its end", async () => {
  const id = await client.invokeAsync("default", "echo", { body: bytes({}) });
  const http = createClient({ url: platform.url, apiKey: platform.adminKey() });
  await until(
    "it succeeded",
    async () => (await http.invocations.get("default", id, 10)).state === "succeeded",
    20_000,
  );
});

test("what cannot be called is told before anything is sent", async () => {
  const call = { timeoutMs: 1_000 };
  await expect(client.invoke("default", "nosuch", call)).rejects.toMatchObject({ code: "function_not_found" });
  await expect(client.invoke("default", "echo", { ...call, depth: 8 })).rejects.toMatchObject({
    code: "callback_loop",
  });
  const body = new Uint8Array(9_000_000);
  await expect(client.invoke("default", "echo", { ...call, body })).rejects.toMatchObject({ code: "body_too_large" });
});
