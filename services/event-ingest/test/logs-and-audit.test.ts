import { describe, expect, it } from "vitest";
import { readCts } from "../src/core/cts-events.ts";
import { readLts } from "../src/core/lts-events.ts";
import { ctsExample, ltsExample } from "./documented.ts";
import { faultOf } from "./fault.ts";

const bodyOf = (part: { body: Uint8Array } | undefined) => JSON.parse(Buffer.from(part!.body).toString("utf8"));
const decoded = (part: { body: Uint8Array } | undefined) =>
  JSON.parse(Buffer.from(bodyOf(part).lts.data, "base64").toString("utf8"));
const config = {
  logGroupId: "97a9d284-4448-11e8-8fa4-286ed488ce70",
  logTopicId: "1a9675a7-784d-11e8-9f70-286ed488ce70",
};
const documented = JSON.parse(Buffer.from(ltsExample.lts.data, "base64").toString("utf8"));
const encode = (value: unknown) => ({ lts: { data: Buffer.from(JSON.stringify(value)).toString("base64") } });

describe("log events", () => {
  it("the documented event comes out with the same logs, a list", () => {
    const { parts, filtered } = readLts(config, ltsExample);
    expect([parts.length, filtered]).toEqual([1, 0]);
    expect(Object.keys(bodyOf(parts[0]))).toEqual(["lts"]);
    expect(decoded(parts[0])).toEqual(documented);
  });

  it("plain records and logs as JSON text come out in the same form", () => {
    const { log_group_id: _, log_topic_id: __, ...plain } = documented;
    expect(decoded(readLts(config, plain).parts[0])).toEqual(documented);
    expect(decoded(readLts(config, encode({ ...documented, logs: JSON.stringify(documented.logs) })).parts[0])).toEqual(
      documented,
    );
  });

  it("logs of another group or topic are filtered", () => {
    expect(readLts({ ...config, logTopicId: "other" }, ltsExample)).toEqual({ parts: [], filtered: 1 });
    expect(readLts({ ...config, logGroupId: "other" }, ltsExample)).toEqual({ parts: [], filtered: 1 });
  });

  it("logs are split at 75 KB, in order and without loss; a longer line goes alone", () => {
    const lengths = [30_000, 30_000, 30_000, 100_000, 10, 10];
    const logs = lengths.map((length, line_no) => ({ message: "ä".repeat(length / 2), line_no }));
    const parts = readLts(config, { ...documented, logs }).parts.map(decoded);
    expect(parts.map((part) => part.logs.map((log: { line_no: number }) => log.line_no))).toEqual([
      [0, 1],
      [2],
      [3],
      [4, 5],
    ]);
    expect(parts.flatMap((part) => part.logs)).toEqual(logs);
    for (const part of parts.filter(({ logs: one }) => one.length > 1))
      expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(75 * 1024);
  });

  it("lines with ids have a name when they come again; equal lines without ids are different events", () => {
    const nameOf = (value: unknown) => readLts(config, value).parts[0]!.name;
    expect(nameOf(ltsExample)).toBe(nameOf(documented));
    expect(nameOf(ltsExample)).not.toBeUndefined();
    expect(nameOf({ ...documented, logs: [{ message: "x" }] })).toBeUndefined();
  });

  it("no logs make no event", () => {
    expect(readLts(config, { ...documented, logs: [] })).toEqual({ parts: [], filtered: 0 });
  });

  it.each<[string, unknown, string, string | undefined]>([
    ["a text", "x", "event_malformed", undefined],
    ["lts that is none", { lts: 1 }, "event_malformed", "lts"],
    ["no data", { lts: {} }, "event_malformed", "lts.data"],
    ["data that is not base64", { lts: { data: "{}" } }, "event_malformed", "lts.data"],
    ["data that is not JSON", { lts: { data: "AAAA" } }, "invalid_json", undefined],
    ["data that is no object", encode([1]), "event_malformed", "lts.data"],
    ["no logs", {}, "event_malformed", "logs"],
    ["logs that are none", { logs: [1] }, "event_malformed", "logs"],
    ["logs as text that is not JSON", { logs: "{" }, "invalid_json", undefined],
  ])("malformed: %s", (_what, value, code, field) => {
    expect(faultOf(() => readLts(config, value))).toEqual(field === undefined ? [code] : [code, field]);
  });
});

describe("audit events", () => {
  const read = (value: unknown, operations = ["VPC:vpc:deleteGraph"]) => readCts({ operations }, value);

  it("the documented event comes out as it stands, also of the record alone", () => {
    expect(bodyOf(read(ctsExample).parts[0])).toEqual(ctsExample);
    expect(bodyOf(read(ctsExample.cts).parts[0])).toEqual(ctsExample);
  });

  it("its name is its trace id (L9)", () => {
    expect(read(ctsExample).parts[0]!.name).toBe("69be64a7-0233-11e8-82e4-e5d37911193e");
  });

  it("records of a list are events of their own, those that the operations do not name are filtered", () => {
    const other = { ...ctsExample.cts, trace_name: "createGraph" };
    const { parts, filtered } = read([ctsExample, other, { cts: other }]);
    expect([parts.length, filtered]).toEqual([1, 2]);
    expect(read(ctsExample, ["ECS:ecs;server:restartServer;deleteServer"])).toEqual({ parts: [], filtered: 1 });
  });

  it.each(["service_type", "resource_type", "trace_name", "trace_id"])("malformed without %s", (field) => {
    expect(faultOf(() => read({ cts: { ...ctsExample.cts, [field]: 1 } }))).toEqual([
      "event_malformed",
      `cts.${field}`,
    ]);
  });

  it("malformed: what is no record", () => {
    for (const value of [1, null, { cts: [] }, ["x"]]) expect(faultOf(() => read(value))[0]).toBe("event_malformed");
  });
});
