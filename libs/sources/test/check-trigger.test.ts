import type { TriggerType } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { checkFunctionOptions, checkTrigger } from "../src/check-trigger.ts";

const to = { name: "f" };
const pem = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
const mqtt = { host: "broker", topics: "a/+/b, c/#" };
const rabbitmq = { host: "broker", exchange: "e", queue: "q", topics: "a.*,b.#" };
const kafka = { brokers: ["k1:9092", "[::1]:9093"], topics: ["orders"] };

describe("a trigger's config", () => {
  it.each<[TriggerType, object, { name: string } | undefined]>([
    ["cron", {}, undefined],
    ["cron", { timezone: "Europe/Berlin", catchUp: "all", overlap: "skip" }, undefined],
    ["timer", { schedule: "*/5 * * * *", userEvent: "hello" }, to],
    ["timer", { schedule: "0 */5 * * * ?", syntax: "functiongraph", timezone: "Asia/Kolkata" }, to],
    ["mqtt", mqtt, undefined],
    ["mqtt", { ...mqtt, tls: { ca: pem, certificate: pem, key: pem }, connections: 4 }, to],
    ["rabbitmq", rabbitmq, undefined],
    ["rabbitmq", { host: "broker", queue: "q", form: "functiongraph", batchSize: 10 }, to],
    ["kafka", { ...kafka, sasl: { mechanism: "PLAIN", username: "u", password: "p" } }, to],
    ["obs", { bucket: "b", events: ["s3:ObjectCreated:*", "Delete"] }, to],
    ["lts", { logGroupId: "g", logTopicId: "t" }, to],
    ["cts", { operations: ["ECS:ecs;server:restartServer;deleteServer"] }, to],
    ["cloudevents", {}, to],
    ["cloudevents", { types: ["com.example.*"], sources: ["*"] }, to],
  ])("of type %s: %j is taken", (type, config, fn) => {
    expect(checkTrigger({ type, config, ...(fn && { function: fn }) })).toEqual(config);
  });

  it.each([
    ["broker:1884", { host: "broker", port: 1884 }],
    ["[::1]:1884", { host: "::1", port: 1884 }],
    ["::1", { host: "::1" }],
    ["10.0.0.1", { host: "10.0.0.1" }],
  ])("takes the port out of the host %s, as SmartWorks' example writes it", (host, expected) => {
    expect(checkTrigger({ type: "mqtt", config: { ...mqtt, host } })).toEqual({ ...mqtt, ...expected });
  });

  it.each<[string, TriggerType, object, string, string | undefined]>([
    ["a missing field", "mqtt", { host: "b" }, "trigger_config_invalid", "config.topics"],
    ["an unknown field", "mqtt", { ...mqtt, colour: "red" }, "trigger_config_invalid", "config.colour"],
    ["a field of the wrong type", "mqtt", { ...mqtt, port: "1883" }, "trigger_config_invalid", "config.port"],
    ["a number out of range", "mqtt", { ...mqtt, qos: 3 }, "trigger_config_invalid", "config.qos"],
    ["a word that is none", "cron", { overlap: "maybe" }, "trigger_config_invalid", "config.overlap"],
    [
      "an unknown field deep in it",
      "mqtt",
      { ...mqtt, tls: { colour: "red" } },
      "trigger_config_invalid",
      "config.tls.colour",
    ],
    ["a scheme", "mqtt", { ...mqtt, host: "mqtt://broker" }, "broker_address_invalid", "config.host"],
    ["a host that is none", "mqtt", { ...mqtt, host: "a b" }, "broker_address_invalid", "config.host"],
    ["no host", "mqtt", { ...mqtt, host: "" }, "broker_address_invalid", "config.host"],
    ["a port that is none", "mqtt", { ...mqtt, host: "a:99999" }, "broker_address_invalid", "config.host"],
    ["two ports", "mqtt", { ...mqtt, host: "a:1", port: 2 }, "trigger_config_invalid", "config.port"],
    ["a filter that MQTT forbids", "mqtt", { ...mqtt, topics: "a/#/b" }, "topic_filter_invalid", "config.topics"],
    ["topics that name none", "mqtt", { ...mqtt, topics: " , " }, "trigger_config_invalid", "config.topics"],
    [
      "sharing with 3.1.1",
      "mqtt",
      { ...mqtt, protocolVersion: 4, shared: true },
      "trigger_config_invalid",
      "config.shared",
    ],
    [
      "connections that would double",
      "mqtt",
      { ...mqtt, shared: false, connections: 2 },
      "trigger_config_invalid",
      "config.connections",
    ],
    ["a CA that is no PEM", "mqtt", { ...mqtt, tls: { ca: "x" } }, "trigger_config_invalid", "config.tls.ca"],
    [
      "a certificate without key",
      "mqtt",
      { ...mqtt, tls: { certificate: pem } },
      "trigger_config_invalid",
      "config.tls.key",
    ],
    ["neither queue nor exchange", "rabbitmq", { host: "b" }, "trigger_config_invalid", "config.queue"],
    [
      "keys without an exchange",
      "rabbitmq",
      { host: "b", queue: "q", topics: "a" },
      "trigger_config_invalid",
      "config.exchange",
    ],
    [
      "a broker with a scheme",
      "kafka",
      { ...kafka, brokers: ["kafka://a:1"] },
      "broker_address_invalid",
      "config.brokers.0",
    ],
    ["a topic that Kafka forbids", "kafka", { ...kafka, topics: ["a/b"] }, "trigger_config_invalid", "config.topics.0"],
    [
      "a user without password",
      "kafka",
      { ...kafka, sasl: { mechanism: "PLAIN", username: "u" } },
      "trigger_config_invalid",
      "config.sasl.password",
    ],
    ["a schedule that is none", "timer", { schedule: "* * *" }, "schedule_invalid", "config.schedule"],
    [
      "a zone that is none",
      "timer",
      { schedule: "@daily", timezone: "Mars/Base" },
      "timezone_unknown",
      "config.timezone",
    ],
    ["a cron zone that is none", "cron", { timezone: "Mars/Base" }, "timezone_unknown", "config.timezone"],
    ["a day that never comes", "timer", { schedule: "0 0 30 2 *" }, "schedule_never", "config.schedule"],
    ["an event that is none", "obs", { bucket: "b", events: ["Sneeze"] }, "event_filter_unknown", "config.events"],
    ["an operation that is none", "cts", { operations: ["x"] }, "event_filter_unknown", "config.operations"],
    ["a wildcard in the middle", "cloudevents", { types: ["a*b"] }, "trigger_config_invalid", "config.types"],
  ])("with %s (%s) is refused, and the field is named", (_what, type, config, code, field) => {
    const check = () => checkTrigger({ type, config, ...(type === "cron" ? {} : { function: to }) });
    expect(check).toThrow(expect.objectContaining({ code, details: expect.objectContaining({ field }) }));
  });

  it("says where a schedule goes wrong, counted from 1", () => {
    expect(() => checkTrigger({ type: "timer", function: to, config: { schedule: "61 * * * *" } })).toThrow(
      expect.objectContaining({ code: "schedule_invalid", details: expect.objectContaining({ position: 1 }) }),
    );
  });

  it("needs a function where its type has no other way to find one, and takes none of its own for cron", () => {
    for (const type of ["timer", "kafka", "obs", "lts", "cts", "cloudevents"] as const)
      expect(() => checkTrigger({ type, config: {} })).toThrow(
        expect.objectContaining({ code: "trigger_function_missing" }),
      );
    expect(() => checkTrigger({ type: "rabbitmq", config: { ...rabbitmq, form: "functiongraph" } })).toThrow(
      expect.objectContaining({ code: "trigger_function_missing" }),
    );
    expect(() => checkTrigger({ type: "cron", config: {}, function: to })).toThrow(
      expect.objectContaining({ code: "trigger_config_invalid", details: { field: "function" } }),
    );
  });

  it("never repeats a secret in what it says of it", () => {
    const secret = 12345678;
    const check = () => checkTrigger({ type: "mqtt", config: { ...mqtt, password: secret } });
    expect(check).toThrow(expect.objectContaining({ details: { field: "config.password" } }));
    expect(check).not.toThrow(String(secret));
  });
});

describe("a function's own options", () => {
  it.each([
    {},
    { topics: "", schedule: "" },
    { topics: "a/+/b, c/#, plain, a.*.b, a.#, #.b", schedule: "*/5 * * * *" },
    { schedule: "@hourly" },
    { schedule: "CRON_TZ=Europe/Berlin 0 3 * * *" },
  ])("%j are taken: topics of MQTT, and routing keys", (options) => {
    expect(() => checkFunctionOptions(options)).not.toThrow();
  });
  it.each([
    [{ topics: "a, b/#/c" }, "topic_filter_invalid", "options.topics"],
    [{ topics: "a+" }, "topic_filter_invalid", "options.topics"],
    [{ schedule: "every day" }, "schedule_invalid", "options.schedule"],
    [{ schedule: "CRON_TZ=Mars/Base @daily" }, "timezone_unknown", "options.schedule"],
  ])("%j are refused", (options, code, field) => {
    expect(() => checkFunctionOptions(options)).toThrow(
      expect.objectContaining({ code, details: expect.objectContaining({ field }) }),
    );
  });
});
