import { FnbusError, limits } from "@fnbus/contract";
import { createBrokerGuard } from "@fnbus/sources";
import { describe, expect, it } from "vitest";
import { cutBatches } from "../src/core/batches.ts";
import { splitAddress } from "../src/core/broker-address.ts";
import { toBrokerFault } from "../src/core/broker-faults.ts";
import { toKafkaEvent } from "../src/core/kafka-event.ts";
import { toRanges } from "../src/core/kafka-ranges.ts";
import { type KafkaBatch, readBatches, toEntry } from "../src/core/kafka-records.ts";
import { timeOfId, toStart } from "../src/core/kafka-start.ts";
import { toMessageText } from "../src/core/message-text.ts";
import { toRabbitmqEvent } from "../src/core/rabbitmq-event.ts";
import { toRabbitmqFault } from "../src/core/rabbitmq-faults.ts";
import { passBrokers } from "../src/in/kafka/guarding.ts";

const text = (value: string) => toMessageText(Buffer.from(value));

describe("events of queues (wire-compatibility.md 5.6)", () => {
  const five = [1, 2, 3, 4, 5];

  it("are FunctionGraph's documented example of Kafka to the letter", () => {
    const head = { region: "{region}", instanceId: "81335d56-b9fe-4679-ba95-7030949cc76b", topic: "topic-test" };
    const messages = five.map((n) => text(`kafka message${n}`));
    expect(JSON.stringify(JSON.parse(toKafkaEvent(head, messages, 1576737962_999).toString()))).toBe(
      JSON.stringify({
        event_version: "v1.0",
        event_time: 1576737962,
        trigger_type: "KAFKA",
        region: "{region}",
        instance_id: "81335d56-b9fe-4679-ba95-7030949cc76b",
        records: [{ messages: five.map((n) => `kafka message${n}`), topic_id: "topic-test" }],
      }),
    );
  });

  it("are FunctionGraph's documented example of RabbitMQ to the letter", () => {
    const head = { region: "{region}", instanceId: "81335d56-b9fe-4679-ba95-7030949cc76b", exchange: "exchange-test" };
    const messages = five.map((n) => text(`rabbitmq message${n}`));
    expect(JSON.stringify(JSON.parse(toRabbitmqEvent(head, messages, 1576737962_000).toString()))).toBe(
      JSON.stringify({
        event_version: "v1.0",
        event_time: 1576737962,
        trigger_type: "RABBITMQ",
        region: "{region}",
        records: [
          {
            messages: five.map((n) => `rabbitmq message${n}`),
            instance_id: "81335d56-b9fe-4679-ba95-7030949cc76b",
            exchange: "exchange-test",
          },
        ],
      }),
    );
  });

  it("carry what is no text as base64, and say which messages that are", () => {
    const head = { region: "", instanceId: "", topic: 'a"b' };
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const event = JSON.parse(toKafkaEvent(head, [text("ü\u0000\n"), toMessageText(bytes)], 0).toString());
    expect(event.records).toEqual([
      { messages: ["ü\u0000\n", bytes.toString("base64")], base64: [1], topic_id: 'a"b' },
    ]);
  });
});

describe("batches", () => {
  const limit = { size: 3, headBytes: 0 };
  const items = (count: number, bytes = 1) => Array.from({ length: count }, (_, n) => ({ n, text: { bytes } }));
  const sizes = (batches: unknown[][]) => batches.map(({ length }) => length);

  it("are full ones only, while the rest may still be filled", () => {
    expect(sizes(cutBatches(items(8), limit, false))).toEqual([3, 3]);
    expect(sizes(cutBatches(items(8), limit, true))).toEqual([3, 3, 2]);
    expect(sizes(cutBatches(items(6), limit, false))).toEqual([3, 3]);
    expect(cutBatches([], limit, true)).toEqual([]);
  });

  it("never grow over 6 MB, and a message that fills one is alone", () => {
    const third = limits.requestBodyBytes / 3;
    expect(sizes(cutBatches(items(4, third), limit, true))).toEqual([2, 2]);
    expect(sizes(cutBatches(items(2, limits.requestBodyBytes - 6), limit, true))).toEqual([1, 1]);
  });

  it("are bounded in number, so that what is in flight is", () => {
    expect(cutBatches(items(10_000), { size: 1, headBytes: 0 }, true)).toHaveLength(64);
  });
});

describe("what a fetch brings", () => {
  const TRANSACTIONAL = 0x10;
  const marker = (firstOffset: bigint, producerId: bigint, type: number): KafkaBatch => ({
    ...{ firstOffset, producerId, lastOffsetDelta: 0, attributes: 0x30 },
    records: [{ offsetDelta: 0, key: Buffer.from([0, 0, 0, type]), value: Buffer.alloc(6) }],
  });
  const batch = (firstOffset: bigint, values: (string | null)[], producerId = -1n, attributes = 0): KafkaBatch => ({
    ...{ firstOffset, producerId, attributes, lastOffsetDelta: values.length - 1 },
    records: values.map((value, offsetDelta) => ({
      offsetDelta,
      key: null,
      value: value === null ? null : Buffer.from(value),
    })),
  });
  const read = (...args: Parameters<typeof readBatches>) => {
    const { entries, next } = readBatches(...args);
    return { messages: entries.map(({ offset, text: { json } }) => [offset, JSON.parse(json)]), next };
  };

  it("begins where it was asked for, although batches begin before", () => {
    expect(read([batch(10n, ["a", "b", "c"])], [], 11)).toEqual({
      messages: [
        [11, "b"],
        [12, "c"],
      ],
      next: 13,
    });
    expect(read([], [], 11)).toEqual({ messages: [], next: 11 });
  });

  it("leaves out aborted transactions, also those whose marker comes with a later fetch", () => {
    const aborted = [{ producerId: 7n, firstOffset: 1n }];
    const first = [batch(0n, ["x"]), batch(1n, ["gone"], 7n, TRANSACTIONAL), batch(2n, ["kept"], 8n, TRANSACTIONAL)];
    expect(read(first, aborted, 0)).toEqual({
      messages: [
        [0, "x"],
        [2, "kept"],
      ],
      next: 3,
    });
    const second = [marker(3n, 7n, 0), batch(4n, ["again"], 7n, TRANSACTIONAL), marker(5n, 7n, 1)];
    expect(read(second, [{ producerId: 7n, firstOffset: 1n }], 3)).toEqual({ messages: [[4, "again"]], next: 6 });
  });

  it("has tombstones and what fits no event as poison", () => {
    expect(toEntry(1, null).poison).toMatch(/tombstone/);
    expect(toEntry(1, Buffer.alloc(limits.requestBodyBytes, "x")).poison).toMatch(/larger/);
    // Short as bytes, six times as long where it is escaped.
    expect(toEntry(1, Buffer.alloc(limits.requestBodyBytes / 2)).poison).toMatch(/larger/);
    expect(toEntry(1, Buffer.alloc(0))).toMatchObject({ text: { json: '""' } });
  });
});

describe("where a partition begins (L10)", () => {
  const known = { mark: 41, committed: 7, youngest: 5, earliest: 2, end: 50 };
  it.each([
    ["the ledger's mark stands over all else", known, 42],
    ["without a mark it is where the group was", { ...known, mark: undefined }, 7],
    ["a place past the end was another topic's", { ...known, mark: undefined, committed: 51 }, 5],
    ["latest is what is younger than the trigger", { ...known, mark: undefined, committed: undefined }, 5],
    ["or the end", { ...known, mark: undefined, committed: undefined, youngest: undefined }, 50],
  ])("%s", (_, places, start) => {
    expect(toStart(places, "latest")).toBe(start);
  });
  it("earliest is the first that is there", () => {
    expect(toStart({ ...known, mark: undefined, committed: undefined }, "earliest")).toBe(2);
  });
  it("reads the time of an incarnation", () => {
    expect(timeOfId("018f0000-0000-7000-8000-0000000000aa")).toBe(0x018f00000000);
  });
});

describe("faults of brokers", () => {
  const network = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
  it.each([
    [network("ECONNREFUSED"), "source_unreachable"],
    [network("DEPTH_ZERO_SELF_SIGNED_CERT"), "source_tls_failed"],
    // Whoever waits for an answer is told of the network only.
    [
      new AggregateError([network("ECONNRESET"), network("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED")]),
      "source_tls_failed",
    ],
    [Object.assign(new Error("x"), { apiId: "SASL_AUTHENTICATION_FAILED" }), "source_unauthorized"],
    [
      new AggregateError([Object.assign(new Error("x"), { apiId: "TOPIC_AUTHORIZATION_FAILED" })]),
      "subscription_refused",
    ],
    [new Error("outer", { cause: new FnbusError("broker_address_forbidden") }), "broker_address_forbidden"],
    [new Error("whatever"), "source_failed"],
  ])("%s is %s", (error, code) => {
    expect(toBrokerFault(error).code).toBe(code);
  });

  it.each([
    ['Handshake terminated by server: 403 (ACCESS-REFUSED) with message "Login was refused"', "source_unauthorized"],
    ['Operation failed: QueueDeclare; 404 (NOT-FOUND) with message "NOT_FOUND - no queue"', "source_topic_missing"],
    ['Operation failed: ExchangeDeclare; 406 (PRECONDITION-FAILED) with message "type"', "source_failed"],
    ['Operation failed: BasicConsume; 403 (ACCESS-REFUSED) with message "no right"', "subscription_refused"],
    ['Connection closed: 320 (CONNECTION-FORCED) with message "shutdown"', "source_unreachable"],
    ["Socket closed abruptly during opening handshake", "source_unreachable"],
  ])("%s", (message, code) => {
    expect(toRabbitmqFault(new Error(message)).code).toBe(code);
  });
});

it("writes offsets as ranges, not more than anybody reads", () => {
  expect(toRanges([3, 4, 5, 7])).toBe("3-5, 7");
  expect(toRanges([1, 3, 5, 7], 2)).toBe("1, 3, … 7");
});

it.each([
  ["kafka:9093", "kafka", 9093],
  ["kafka", "kafka", 9092],
  ["[::1]:9093", "::1", 9093],
])("reads %s", (address, host, port) => {
  expect(splitAddress(address)).toEqual({ host, port });
});

it("lets each broker pass once, and none beside one that is forbidden", async () => {
  const guard = createBrokerGuard({ allow: [], allowLoopback: true });
  const seen = [9092, 9093].map((port) => ({ host: "127.0.0.1", port }));
  expect(await passBrokers(guard, ["127.0.0.1:9092"], seen)).toEqual(seen);
  const forbidden = passBrokers(guard, ["127.0.0.1:9092", "169.254.169.254:9092"], []);
  await expect(forbidden).rejects.toMatchObject({ code: "broker_address_forbidden" });
});
