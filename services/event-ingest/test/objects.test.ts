import type { ObsConfig } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { readObs } from "../src/core/obs-events.ts";
import { minioExample, obsExample } from "./documented.ts";
import { faultOf } from "./fault.ts";

const all = { bucket: "functionstorage-template", events: ["ObjectCreated", "ObjectRemoved"] };
const read = (value: unknown, config: Partial<ObsConfig> = {}) => readObs({ ...all, ...config }, value);
const bodyOf = (part: { body: Uint8Array } | undefined) => JSON.parse(Buffer.from(part!.body).toString("utf8"));
const [documented] = obsExample.Records;
const { s3 } = documented!;
const withObject = (object: object) => ({
  Records: [{ ...documented, s3: { ...s3, object: { ...s3.object, ...object } } }],
});
const without = (field: string) => {
  const record: Record<string, unknown> = structuredClone(documented!);
  delete record[field];
  return { Records: [record] };
};

describe("object events", () => {
  it("the documented event comes out as it stands, with awsRegion and the bucket's arn beside (wire-compatibility 5.4)", () => {
    const { parts, filtered } = read(obsExample);
    expect(filtered).toBe(0);
    expect(parts.map(({ kind, headers }) => [kind, headers])).toEqual([
      ["event", [["content-type", "application/json"]]],
    ]);
    expect(bodyOf(parts[0])).toEqual({
      Records: [
        {
          ...documented,
          awsRegion: "{region}",
          s3: { ...s3, bucket: { ...s3.bucket, arn: "arn:aws:s3:::functionstorage-template" } },
        },
      ],
    });
  });

  it("MinIO's notification becomes FunctionGraph's event: the name without s3:, the key as it came", () => {
    const { parts } = read(minioExample, { bucket: "images", prefix: "in/my photo", suffix: ".png" });
    const [record] = bodyOf(parts[0]).Records;
    expect(record).toMatchObject({ eventName: "ObjectCreated:Put", eventVersion: "2.0", Region: "", awsRegion: "" });
    expect(record.s3.object.key).toBe("in/my+photo.png");
    expect(record.s3.bucket.arn).toBe("arn:aws:s3:::images");
    expect(bodyOf(parts[0])).not.toHaveProperty("EventName");
  });

  it("each record is an invocation of its own", () => {
    const { parts, filtered } = read({ Records: [documented, ...withObject({ key: "b.png" }).Records] });
    expect([parts.length, filtered]).toEqual([2, 0]);
    expect(parts.map((part) => bodyOf(part).Records.length)).toEqual([1, 1]);
  });

  it.each<[string, object, Partial<ObsConfig>, number]>([
    ["another bucket", {}, { bucket: "other" }, 0],
    ["an event that is not asked for", {}, { events: ["Put"] }, 0],
    ["the event by its own name", {}, { events: ["Post"] }, 1],
    ["another prefix", {}, { prefix: "in/" }, 0],
    ["another suffix", {}, { suffix: ".jpg" }, 0],
    ["prefix and suffix", { key: "in/a.jpg" }, { prefix: "in/", suffix: ".jpg" }, 1],
    ["a key that is encoded", { key: "in/%C3%A4+b.jpg" }, { prefix: "in/ä b" }, 1],
    ["a key that only looks encoded", { key: "100%.jpg" }, { prefix: "100%" }, 1],
  ])("filter: %s", (_what, object, config, taken) => {
    const { parts, filtered } = read(withObject(object), config);
    expect([parts.length, filtered]).toEqual([taken, 1 - taken]);
  });

  it("a kind of event that no trigger may name is filtered; a name that is none is an error", () => {
    const named = (eventName: string) => ({ Records: [{ ...documented, eventName }] });
    for (const name of ["s3:ObjectAccessed:Get", "ObjectTagging:Put", "s3:ObjectRestore:Completed", "Replication:x:y"])
      expect(read(named(name)).filtered).toBe(1);
    for (const name of ["Explosion", "s3:*", "put", "Object:Put"])
      expect(faultOf(() => read(named(name)))).toEqual(["event_type_unknown", "Records[0].eventName"]);
  });

  it("the same notification has the same name, another object, event or sequencer has another (L9)", () => {
    const nameOf = (value: unknown) => read(value).parts[0]!.name;
    expect(nameOf(obsExample)).toBe(
      nameOf({ Records: [{ ...documented, eventName: "s3:ObjectCreated:Post", Region: "x" }] }),
    );
    const names = [
      obsExample,
      withObject({ key: "b" }),
      withObject({ sequencer: "1" }),
      { Records: [{ ...documented, eventName: "ObjectCreated:Put" }] },
      withObject({ sequencer: undefined }),
      withObject({ sequencer: undefined, eTag: "x" }),
      withObject({ sequencer: undefined, versionId: "x" }),
    ].map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    const late = {
      Records: [{ ...withObject({ sequencer: undefined }).Records[0], eventTime: "2018-01-09T07:50:51Z" }],
    };
    expect(nameOf(late)).not.toBe(nameOf(withObject({ sequencer: undefined })));
  });

  it("the test event of a new notification is taken, and is no event", () => {
    for (const Event of ["s3:TestEvent", "TestEvent"])
      expect(read({ Service: "Amazon S3", Event, Bucket: "b" })).toEqual({ parts: [], filtered: 0 });
  });

  it("times are written with milliseconds", () => {
    const { parts } = read({ Records: [{ ...documented, eventTime: "2018-01-09T09:50:50+02:00" }] });
    expect(bodyOf(parts[0]).Records[0].eventTime).toBe("2018-01-09T07:50:50.000Z");
  });

  it.each<[string, unknown, string | undefined]>([
    ["a list", [], undefined],
    ["null", null, undefined],
    ["no Records", {}, "Records"],
    ["Records that are none", { Records: {} }, "Records"],
    ["a record that is none", { Records: [1] }, "Records[0]"],
    ["no name of the event", without("eventName"), "Records[0].eventName"],
    ["no time", without("eventTime"), "Records[0].eventTime"],
    ["a time that is none", { Records: [{ ...documented, eventTime: "soon" }] }, "Records[0].eventTime"],
    ["no object", without("s3"), "Records[0].s3"],
    ["no key", withObject({ key: "" }), "Records[0].s3.object.key"],
    ["1,001 records", { Records: Array.from({ length: 1001 }, () => documented) }, "Records"],
  ])("malformed: %s", (_what, value, field) => {
    expect(faultOf(() => read(value))).toEqual(field === undefined ? ["event_malformed"] : ["event_malformed", field]);
  });
});
