import { createId, defaultSettings, FnbusError, limits, type RegisteredFunction } from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toCalls } from "../src/core/calls.ts";
import { toFailure, toRefusal } from "../src/core/failures.ts";
import { toHeaders } from "../src/core/headers.ts";
import type { Message } from "../src/core/message.ts";
import { createRoutes } from "../src/core/routes.ts";
import { toMessage, toSamples } from "../src/core/sample.ts";
import {
  createJudge,
  keepsConnections,
  type MqttTrigger,
  modeOf,
  toSessionNames,
  toSubscriptions,
} from "../src/core/subscriptions.ts";

const toTrigger = (config: Partial<MqttTrigger["config"]> = {}, more: Partial<MqttTrigger> = {}): MqttTrigger => ({
  ...{ id: "018f0000-0000-7000-8000-000000000001", incarnation: "1", space: "s", name: "t", description: "" },
  ...{ enabled: true, createdAt: 0, updatedAt: 0, type: "mqtt", config: { host: "h", topics: "a/#", ...config } },
  ...more,
});
const toFunction = (name: string, topics = "", style: "event" | "request" = "request"): RegisteredFunction => ({
  definition: {
    ...{ id: createId(), space: "s", name, partition: 0, status: "Running", createdAt: 0, updatedAt: 0 },
    settings: { ...defaultSettings, runtime: "nodejs", handler: "index.handler", style, options: { topics } },
  },
  revision: 1,
});
const message = (more: Partial<Message> = {}): Message => ({
  ...{ topic: "a/b", payload: Buffer.from("1"), retain: false, properties: [], subscriptions: [], ...more },
});

describe("headers of a message", () => {
  it("no property speaks in the platform's name or hop by hop, and none stands in for topic and content type", () => {
    const names = [
      "X-Topic",
      "content-type",
      "Connection",
      "host",
      "x-fnbus-id",
      "X-Call-Id",
      "authorization",
      "a b",
      "",
    ];
    const { headers, dropped } = toHeaders(message({ properties: names.map((name) => [name, "forged"]) }));
    expect(headers).toEqual([["x-topic", "a/b"]]);
    expect(dropped).toBe(names.length);
  });

  it("whatever a device sends, headers are within the limits and no value has a control character (I11)", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 60 });
    const properties = fc.array(fc.tuple(fc.oneof(text, fc.constantFrom("a", "machine")), text), { maxLength: 150 });
    fc.assert(
      fc.property(text, properties, fc.option(text, { nil: undefined }), (topic, list, contentType) => {
        const made = toHeaders(message({ topic, properties: list, ...(contentType !== undefined && { contentType }) }));
        expect(made.headers.length).toBeLessThanOrEqual(limits.headerCount);
        expect(made.headers.filter(([name]) => name === "x-topic")).toHaveLength(1);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
        for (const [, value] of made.headers) expect(value).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f]/);
        const kept = made.headers.length - 1 - Number(made.headers.some(([name]) => name === "content-type"));
        expect(kept + made.dropped).toBe(list.length);
      }),
    );
  });

  it("a topic of other scripts arrives as it is", () => {
    expect(toHeaders(message({ topic: "温度/ä" })).headers).toEqual([["x-topic", "温度/ä"]]);
  });
});

describe("calls of a message", () => {
  it("event style gets the payload as its event where it is JSON; request style always gets the request", () => {
    const targets = [toFunction("event", "", "event"), toFunction("request")];
    const kinds = (payload: string) =>
      toCalls(toTrigger(), targets, message({ payload: Buffer.from(payload) })).calls.map(({ kind }) => kind);
    expect(kinds('{"a":1}')).toEqual(["event", "http"]);
    expect(kinds("21.5")).toEqual(["event", "http"]);
    expect(kinds("hot")).toEqual(["http", "http"]);
    expect(kinds("")).toEqual(["http", "http"]);
  });

  it("a trace goes on where a device sends a valid traceparent", () => {
    const of = (value: string) =>
      toCalls(toTrigger(), [toFunction("f")], message({ properties: [["traceparent", value]] })).calls[0]?.traceparent;
    const valid = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    expect(of(valid)).toBe(valid);
    expect(of(`00-${"0".repeat(32)}-${"b".repeat(16)}-01`)).toBeUndefined();
  });
});

describe("subscriptions", () => {
  it("are shared by the trigger's group, but not where the broker cannot or kept messages are wanted", () => {
    expect(toSubscriptions(toTrigger())[0]?.topic).toBe("$share/fnbus-018f0000-0000-7000-8000-000000000001/a/#");
    for (const config of [{ protocolVersion: 4 }, { shared: false }, { retained: "first" }] as const) {
      expect(modeOf(toTrigger(config))).toBe("exclusive");
      expect(toSubscriptions(toTrigger(config))[0]?.topic).toBe("a/#");
    }
  });

  it("QoS 2 is subscribed as 1", () => {
    expect([0, 1, 2].map((qos) => toSubscriptions(toTrigger({ qos }))[0]?.qos)).toEqual([0, 1, 1]);
  });

  it("of filters that overlap exactly one takes a message, whichever of them brought it", () => {
    const level = fc.constantFrom("a", "b", "+");
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([levels, isOpen]) => [...levels, ...(isOpen ? ["#"] : [])].join("/"));
    const topic = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
    fc.assert(
      fc.property(fc.uniqueArray(filter, { minLength: 1, maxLength: 6 }), topic, (filters, text) => {
        const subscriptions = toSubscriptions(toTrigger({ topics: filters.join(",") }));
        const judge = createJudge(subscriptions);
        const isAny = judge(message({ topic: text })) === "take";
        const brings = subscriptions.filter(
          ({ filter: one }) =>
            createJudge(toSubscriptions(toTrigger({ topics: one })))(message({ topic: text })) === "take",
        );
        const taken = brings.filter(
          ({ identifier }) => judge(message({ topic: text, subscriptions: [identifier] })) === "take",
        );
        expect(taken).toHaveLength(isAny ? 1 : 0);
      }),
    );
    const judge = createJudge(toSubscriptions(toTrigger({ topics: "a/#" })));
    expect(judge(message({ topic: "b" }))).toBe("stale");
    expect(judge(message({ topic: "a", subscriptions: [1] }))).toBe("stale");
  });

  it("sessions are unique among slots, the same after a restart, and named by the broker that keeps them", () => {
    const trigger = toTrigger({ connections: 3 });
    const names = [0, 1].flatMap((slot) => toSessionNames(trigger, slot));
    expect(new Set(names).size).toBe(6);
    expect(toSessionNames(trigger, 0)).toEqual(toSessionNames(structuredClone(trigger), 0));
    expect(toSessionNames(toTrigger({ tls: {} }), 0)[0]).toMatch(/^h:8883 /);
    const exclusive = toTrigger({ protocolVersion: 4, clientId: "mine" });
    expect(toSessionNames(exclusive, 5)).toEqual(["h:1883 mine"]);
  });

  it("connections serve a changed trigger unless broker, access, protocol or mode differ", () => {
    const trigger = toTrigger({ password: "a" });
    expect(keepsConnections(trigger, toTrigger({ password: "a", topics: "b" }, { callbackUrl: "http://x" }))).toBe(
      true,
    );
    for (const config of [{ password: "b" }, { password: "a", port: 1 }, { password: "a", retained: "first" as const }])
      expect(keepsConnections(trigger, toTrigger(config))).toBe(false);
  });
});

describe("routes", () => {
  it("follow functions as they are now, and never reach another space", () => {
    const functions = [toFunction("one", "a/+"), toFunction("two", "a/b, a/#"), toFunction("none")];
    let changed = () => {};
    const registry = {
      functionsOf: (space: string) => (space === "s" ? functions : []),
      functionById: (id: string) => functions.find(({ definition }) => definition.id === id),
      functionByName: (_: string, name: string) => functions.find(({ definition }) => definition.name === name),
      onFunction: (listener: () => void) => {
        changed = listener;
        return () => undefined;
      },
    } as unknown as RegistryIndex;
    const routes = createRoutes(registry);
    const names = (trigger: MqttTrigger, topic: string) =>
      routes
        .functionsFor(trigger, topic)
        ?.map(({ definition }) => definition.name)
        .toSorted();
    expect(names(toTrigger(), "a/b")).toEqual(["one", "two"]);
    expect(names(toTrigger({}, { space: "other" }), "a/b")).toEqual([]);
    functions.push(toFunction("late", "a/b"));
    changed();
    expect(names(toTrigger(), "a/b")).toEqual(["late", "one", "two"]);
    expect(names(toTrigger({}, { function: { name: "none", qualifier: "latest" } }), "z")).toEqual(["none"]);
    expect(names(toTrigger({}, { function: { name: "gone", qualifier: "latest" } }), "z")).toBeUndefined();
  });
});

describe("samples and failures", () => {
  it("a sample has a topic that a function asks for; a described message is checked", () => {
    const samples = toSamples(toTrigger(), [toFunction("f", "a/+/temp")]);
    expect(samples.map(({ topic }) => topic)).toEqual(["a/sample/temp", "a/sample"]);
    expect(toMessage({ topic: "a", payload: { x: 1 } }).payload.toString()).toBe('{"x":1}');
    for (const wrong of [
      null,
      [],
      {},
      { topic: "a/+" },
      { topic: "a", contentType: 1 },
      { topic: "a", properties: { b: 1 } },
    ])
      expect(() => toMessage(wrong)).toThrow(FnbusError);
  });

  it.each([
    [toRefusal(0x87, 5), "source_unauthorized"],
    [toRefusal(0x86, 5), "source_unauthorized"],
    [toRefusal(5, 4), "source_unauthorized"],
    [toRefusal(1, 5), "source_failed"],
    [toFailure({ code: "ECONNREFUSED", message: "" }, 5), "source_unreachable"],
    [toFailure({ code: "SELF_SIGNED_CERT_IN_CHAIN" }, 5), "source_tls_failed"],
    [toFailure({ code: "ERR_TLS_CERT_ALTNAME_INVALID" }, 5), "source_tls_failed"],
    [toFailure(new Error("connack timeout"), 5), "source_unreachable"],
    [toFailure(new FnbusError("broker_address_forbidden"), 5), "broker_address_forbidden"],
  ])("%j is %s", (failure, code) => {
    expect(failure.code).toBe(code);
  });
});
