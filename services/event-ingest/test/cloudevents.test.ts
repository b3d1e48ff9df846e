import type { HandlerStyle } from "@fnbus/contract";
import { CloudEvent, HTTP } from "cloudevents";
import { describe, expect, it } from "vitest";
import { fromHeaderText, toHeaderText } from "../src/core/cloudevent.ts";
import { readCloudEvents } from "../src/core/cloudevents-read.ts";
import { faultOf } from "./fault.ts";

type Config = Parameters<typeof readCloudEvents>[0];
const send = (headers: object, body: string | Uint8Array, style: HandlerStyle = "event", config: Config = {}) =>
  readCloudEvents(config, style, {
    headers: Object.entries(headers).flatMap(([name, value]) => [name, String(value)]),
    body: Buffer.from(body as string),
  });
const json = { "Content-Type": "application/cloudevents+json; charset=utf-8" };
const batch = { "content-type": "application/cloudevents-batch+json" };
const event = {
  specversion: "1.0",
  id: "A234",
  source: "/mycontext",
  type: "com.example.someevent",
  time: "2018-04-05T17:31:00Z",
  subject: "größe 100%",
  comexampleextension: 5,
  datacontenttype: "application/json",
  data: { a: 1 },
};
const structured = (over: object = {}, style?: HandlerStyle, config?: Config) =>
  send(json, JSON.stringify({ ...event, ...over }), style, config);
const binary = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
const bodyOf = (part: { body: Uint8Array } | undefined) => JSON.parse(Buffer.from(part!.body).toString("utf8"));

describe("CloudEvents 1.0", () => {
  it("a structured event is the event handler's body, byte for byte", () => {
    const text = ` { "specversion":"1.0","id":"1","source":"/s","type":"t","data":12345678901234567890,"x":null}`;
    const [part] = send(json, text).parts;
    expect([part!.kind, part!.headers, Buffer.from(part!.body).toString()]).toEqual([
      "event",
      [["content-type", "application/json"]],
      text,
    ]);
  });

  it("a structured event is binary mode for a request handler: attributes as headers, data as body", () => {
    const [part] = structured({}, "request").parts;
    expect([part!.kind, Buffer.from(part!.body).toString()]).toEqual(["http", '{"a":1}']);
    expect(Object.fromEntries(part!.headers)).toEqual({
      "ce-specversion": "1.0",
      "ce-id": "A234",
      "ce-source": "/mycontext",
      "ce-type": "com.example.someevent",
      "ce-time": "2018-04-05T17:31:00Z",
      "ce-subject": "gr%C3%B6%C3%9Fe%20100%25",
      "ce-comexampleextension": "5",
      "content-type": "application/json",
    });
  });

  it("a binary event is the JSON form for an event handler, and stays as it is for a request handler", () => {
    const headers = { ...binary, "ce-subject": "gr%C3%B6%C3%9Fe", "Content-Type": "application/json" };
    expect(bodyOf(send(headers, '{"b":2}').parts[0])).toEqual({
      ...{ specversion: "1.0", id: "1", source: "/s", type: "t", subject: "größe" },
      ...{ datacontenttype: "application/json", data: { b: 2 } },
    });
    const [part] = send(headers, ' {"b":2}', "request").parts;
    expect(Buffer.from(part!.body).toString()).toBe(' {"b":2}');
    expect(Object.fromEntries(part!.headers)["ce-subject"]).toBe("gr%C3%B6%C3%9Fe");
  });

  it.each<[string, string | undefined, Uint8Array, object]>([
    ["no data", "application/json", Buffer.from(""), {}],
    ["JSON's kin", "application/vnd.x+json", Buffer.from("[1]"), { data: [1] }],
    ["no type: JSON", undefined, Buffer.from("3"), { data: 3 }],
    ["text", "text/plain", Buffer.from("grün"), { data: "grün" }],
    ["XML", "application/xml", Buffer.from("<a/>"), { data: "<a/>" }],
    ["text that is none", "text/plain", Buffer.from([0xff]), { data_base64: "/w==" }],
    ["bytes", "application/octet-stream", Buffer.from([0, 1, 255]), { data_base64: "AAH/" }],
  ])("data of a binary event in the JSON form: %s", (_what, type, bytes, expected) => {
    const made = bodyOf(send({ ...binary, ...(type && { "content-type": type }) }, bytes).parts[0]);
    const { data, data_base64 } = made;
    expect({ ...(data !== undefined && { data }), ...(data_base64 !== undefined && { data_base64 }) }).toEqual(
      expected,
    );
  });

  it.each<[string, object, string]>([
    ["none", { data: undefined, datacontenttype: undefined }, ""],
    ["a text of type text", { data: "x", datacontenttype: "text/plain" }, "x"],
    ["a text of type JSON", { data: "x" }, '"x"'],
    ["null", { data: null }, "null"],
    ["base64", { data: undefined, data_base64: "AAH/", datacontenttype: "image/png" }, "\u0000\u0001\u00ff"],
  ])("data of a structured event as a request handler's body: %s", (_what, over, expected) => {
    expect(Buffer.from(structured(over, "request").parts[0]!.body).toString("latin1")).toBe(expected);
  });

  it("a batch is events of their own, an empty one is none", () => {
    const { parts } = send(batch, JSON.stringify([event, { ...event, id: "B" }]));
    expect(parts.map((part) => bodyOf(part).id)).toEqual(["A234", "B"]);
    expect(send(batch, "[]")).toEqual({ parts: [], filtered: 0 });
  });

  it("source and id together name an event (L9)", () => {
    const names = [{}, { id: "x" }, { source: "x" }, { id: "/mycontext", source: "A234" }, { data: 2 }].map(
      (over) => structured(over).parts[0]!.name,
    );
    expect(names[4]).toBe(names[0]);
    expect(new Set(names).size).toBe(4);
    expect(send({ ...binary, "ce-source": "/mycontext", "ce-id": "A234" }, "").parts[0]!.name).toBe(names[0]);
  });

  it("the traceparent extension continues the trace", () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    expect(structured({ traceparent }).parts[0]!.traceparent).toBe(traceparent);
    expect(structured().parts[0]!.traceparent).toBeUndefined();
  });

  it.each<[Config, number]>([
    [{}, 1],
    [{ types: ["com.example.someevent"] }, 1],
    [{ types: ["com.example.*"] }, 1],
    [{ types: ["com.example"] }, 0],
    [{ types: ["x", "*"] }, 1],
    [{ sources: ["/my*"], types: ["com.*"] }, 1],
    [{ sources: ["/other"], types: ["com.*"] }, 0],
  ])("filter %j takes %i", (config, taken) => {
    const { parts, filtered } = structured({}, "event", config);
    expect([parts.length, filtered]).toEqual([taken, 1 - taken]);
  });

  it.each<[string, object, string | undefined]>([
    ["no version", { specversion: undefined }, "specversion"],
    ["an older version", { specversion: "0.3" }, "specversion"],
    ["no id", { id: undefined }, "id"],
    ["an empty id", { id: "" }, "id"],
    ["an id that is a number", { id: 5 }, "id"],
    ["no source", { source: null }, "source"],
    ["no type", { type: undefined }, "type"],
    ["a time that is none", { time: "yesterday" }, "time"],
    ["a month that is none", { time: "2018-13-05T17:31:00Z" }, "time"],
    ["a data type that is none", { datacontenttype: "json" }, "datacontenttype"],
    ["a relative schema", { dataschema: "/x" }, "dataschema"],
    ["an empty subject", { subject: "" }, "subject"],
    ["a name in capitals", { myExt: "x" }, undefined],
    ["a name with a dash", { "my-ext": "x" }, undefined],
    ["a long name", { ["n".repeat(65)]: "x" }, undefined],
    ["an extension that is an object", { ext: {} }, "ext"],
    ["a fraction", { ext: 1.5 }, "ext"],
    ["a number over 32 bits", { ext: 2 ** 31 }, "ext"],
    ["a line break", { ext: "a\nb" }, "ext"],
    ["half a character", { ext: "\ud800" }, "ext"],
    ["data twice", { data_base64: "AA==" }, "data_base64"],
    ["base64 that is none", { data: undefined, data_base64: "?" }, "data_base64"],
    ["65 attributes", Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`x${at}`, "1"])), undefined],
    ["16 kB of attributes", { ext: "x".repeat(17_000) }, undefined],
  ])("malformed: %s", (_what, over, field) => {
    expect(faultOf(() => structured(over))).toEqual(
      field === undefined ? ["event_malformed"] : ["event_malformed", field],
    );
  });

  it.each<[string, object, string, string]>([
    ["neither mode", { "content-type": "application/json" }, "{}", "event_malformed"],
    ["nothing", {}, "", "event_malformed"],
    ["a list, structured", json, "[]", "event_malformed"],
    ["an object, as a batch", batch, "{}", "event_malformed"],
    ["no JSON", json, "{", "invalid_json"],
    ["no UTF-8", json, Buffer.from([0xff]) as unknown as string, "event_malformed"],
    ["XML", { "content-type": "application/cloudevents+xml" }, "<x/>", "media_type_unsupported"],
    ["an attribute twice", { ...binary, "CE-ID": "2" }, "", "event_malformed"],
    ["bytes that are no UTF-8", { ...binary, "ce-x": "%ff" }, "", "event_malformed"],
    ["the attribute data", { ...binary, "ce-data": "1" }, "", "event_malformed"],
    ["data that is not what its type says", { ...binary, "content-type": "application/json" }, "{", "invalid_json"],
    ["1,001 events", batch, JSON.stringify(Array.from({ length: 1001 }, () => event)), "event_malformed"],
    [
      "deep nesting in a batch",
      batch,
      `[${JSON.stringify(event).slice(0, -1)},"data":${"[".repeat(9_999)}${"]".repeat(9_999)}}]`,
      "event_malformed",
    ],
  ])("refused: %s", (_what, headers, body, code) => {
    expect(faultOf(() => send(headers, body))[0]).toBe(code);
  });

  it("base64 makes 5 MB of bytes more than 6 MB of JSON: refused as too large", () => {
    const bytes = Buffer.alloc(5 * 1024 * 1024);
    const headers = { ...binary, "content-type": "application/octet-stream" };
    expect(faultOf(() => send(headers, bytes))).toEqual(["record_too_large"]);
    expect(send(headers, bytes, "request").parts[0]!.body.length).toBe(bytes.length);
  });

  it.each(["a", "größe 100%", '"quoted"', "a,b;c=d", "日本語 🙂", "%41", " "])("%j goes through a header", (text) => {
    expect(toHeaderText(text)).toMatch(/^[\x21\x23-\x7e]*$/);
    expect(fromHeaderText(toHeaderText(text))).toBe(text);
  });

  it("quoted header values are taken out of their quotes", () => {
    expect(fromHeaderText('"a \\"b\\" %C3%A4"')).toBe('a "b" ä');
  });
});

describe("what the SDK sends and reads", () => {
  const sent = new CloudEvent({ ...event, subject: "plain", time: "2018-04-05T17:31:00.000Z", comexampleextension: 5 });

  it("its binary and structured messages are taken, and read alike", () => {
    const forms = [HTTP.binary(sent), HTTP.structured(sent)].map(({ headers, body }) =>
      bodyOf(send(headers, body as string).parts[0]),
    );
    // In headers every attribute is a text.
    expect(forms[0]).toEqual({ ...forms[1], comexampleextension: "5" });
    expect(forms[1]).toMatchObject({ ...event, subject: "plain", time: "2018-04-05T17:31:00.000Z" });
  });

  it("what a request handler gets is an event to it", () => {
    const { headers, body } = HTTP.structured(sent);
    const [part] = send(headers, body as string, "request").parts;
    const read = HTTP.toEvent({ headers: Object.fromEntries(part!.headers), body: Buffer.from(part!.body).toString() });
    expect(read).toMatchObject({ id: "A234", subject: "plain", data: { a: 1 }, comexampleextension: "5" });
  });
});
