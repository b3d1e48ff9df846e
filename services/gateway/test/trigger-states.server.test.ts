import type { TestedInvocation } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, createCaller, type Json } from "./caller.ts";
import { type Platform, startPlatform } from "./platform.ts";
import { type ScriptedSource, startSource } from "./sources.ts";

describe("the state of triggers", () => {
  let platform: Platform;
  let call: Caller;
  let sources: ScriptedSource[];
  const triggers = "/spaces/default/triggers";
  const status = async (name: string) => (await call("GET", `${triggers}/${name}`)).json.status as Json;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    platform = await startPlatform();
    call = createCaller(platform);
    await platform.deploy("report");
    for (const [name, type, config] of [
      ["sensor", "mqtt", { host: "b", topics: "a" }],
      ["nightly", "timer", { schedule: "@daily" }],
      ["audit", "cloudevents", {}],
    ] as const) {
      const made = await call("POST", triggers, { name, type, config, function: { name: "report" } });
      ids.set(name, made.json.id as string);
    }
    sources = [
      startSource(platform.bus, "mqtt-bridge", "bridge-a", [ids.get("sensor")!]),
      startSource(platform.bus, "mqtt-bridge", "bridge-b", [ids.get("sensor")!]),
      startSource(platform.bus, "scheduler", "scheduler-a", [ids.get("nightly")!]),
    ];
    await until("all are heard", async () => {
      const { replicas } = await status("sensor");
      return (replicas as unknown[]).length === 2;
    });
  });
  afterAll(async () => {
    for (const source of sources) source.stop();
    await platform.stop();
  });

  it("is what every replica says, in one list", async () => {
    const at = Date.now();
    sources[0]!.report = () => ({ received: 5, published: 4, givenUp: 1, lastEventAt: at, details: { unmatched: 1 } });
    sources[1]!.report = () => ({ received: 2, published: 2, since: 7 });
    expect(await status("sensor")).toMatchObject({
      ...{ state: "Running", received: 7, published: 6, givenUp: 1, lastEventAt: at },
      replicas: [
        { instance: "bridge-a", service: "mqtt-bridge", details: { unmatched: 1 } },
        { instance: "bridge-b", since: 7 },
      ],
    });
  });

  it("is Failed where it fails anywhere, with that replica's reason and time", async () => {
    const error = { code: "source_unauthorized", message: "Not Authorized", at: 9 } as const;
    sources[0]!.report = () => ({});
    sources[1]!.report = () => ({ state: "Failed", error });
    expect(await status("sensor")).toMatchObject({ state: "Failed", error });
  });

  it("is Running where one replica waits for the other, and what went wrong last is still told", async () => {
    const error = { code: "source_failed", message: "again", at: 9 } as const;
    sources[0]!.report = () => ({ state: "Pending" });
    sources[1]!.report = () => ({ error });
    expect(await status("sensor")).toMatchObject({ state: "Running", error });
  });

  it("is Pending while no replica has heard of it, and where no service runs its type: source_silent", async () => {
    for (const source of sources) source.report = () => undefined;
    const pending = await status("sensor");
    expect([pending.state, pending.error, pending.replicas]).toEqual(["Pending", undefined, []]);
    const began = performance.now();
    expect(await status("audit")).toMatchObject({ state: "Pending", error: { code: "source_silent" } });
    expect(performance.now() - began).toBeLessThan(500);
  });

  it("waits one second for a replica that is silent, and shows what the others say", async () => {
    sources[0]!.report = () => ({ received: 3 });
    sources[1]!.isDeaf = true;
    const began = performance.now();
    expect(await status("sensor")).toMatchObject({ state: "Running", replicas: [{ instance: "bridge-a" }] });
    expect(performance.now() - began).toBeGreaterThan(900);
    sources[1]!.isDeaf = false;
  });

  it("is asked for once for a whole page", async () => {
    for (const source of sources) {
      source.asked = [];
      source.report = () => ({});
    }
    const page = await call("GET", triggers);
    expect(page.json.data!.map(({ name, status }) => [name, (status as Json).state])).toEqual([
      ["audit", "Pending"],
      ["nightly", "Running"],
      ["sensor", "Running"],
    ]);
    for (const { asked } of sources) expect(asked).toHaveLength(1);
  });

  it("a test asks one replica of the trigger's service, with the event, and shows what it says", async () => {
    const invocation: TestedInvocation = {
      ...{ id: "1", function: "report", kind: "event", source: "timer", headers: [["x-topic", "t"]], path: "/" },
      ...{ body: "e30=", text: "{}" },
    };
    const scheduler = sources[2]!;
    scheduler.tested = { ok: true, answer: "tested", invocations: [invocation] };
    scheduler.asked = [];
    const tested = await call("POST", `${triggers}/nightly/test`, { dryRun: true, event: { a: 1 } });
    expect([tested.status, tested.json]).toEqual([200, { invocations: [invocation] }]);
    expect((await call("POST", `${triggers}/nightly/test`)).status).toBe(200);
    expect(scheduler.asked).toEqual([
      { ask: "test", id: ids.get("nightly"), dryRun: true, event: { a: 1 } },
      { ask: "test", id: ids.get("nightly"), dryRun: false },
    ]);
    const bridges = sources.slice(0, 2);
    for (const bridge of bridges) bridge.asked = [];
    await call("POST", `${triggers}/sensor/test`, { dryRun: true });
    expect(bridges.flatMap(({ asked }) => asked)).toHaveLength(1);
  });

  it("a test is refused in the service's own words, or because there is none", async () => {
    sources[2]!.tested = { ok: false, code: "event_malformed", message: "no JSON", details: { position: 3 } };
    const refused = await call("POST", `${triggers}/nightly/test`, { event: "x" });
    expect([refused.status, refused.json.code, refused.json.details]).toEqual([
      400,
      "event_malformed",
      { position: 3 },
    ]);
    const silent = await call("POST", `${triggers}/audit/test`);
    expect([silent.status, silent.json.code]).toEqual([503, "source_silent"]);
  });

  it("a service that does not know a trigger yet is asked again for a moment", async () => {
    const scheduler = sources[2]!;
    scheduler.tested = { ok: false, code: "trigger_not_found", message: "" };
    const tested = call("POST", `${triggers}/nightly/test`, { dryRun: true });
    setTimeout(() => {
      scheduler.tested = { ok: true, answer: "tested", invocations: [] };
    }, 300);
    expect((await tested).json).toEqual({ invocations: [] });
  });
});
