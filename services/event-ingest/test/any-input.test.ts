import { FnbusError, type HandlerStyle } from "@fnbus/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HttpTrigger, readDelivery, readEvent } from "../src/core/read-delivery.ts";
import { ctsExample, ltsExample, minioExample, obsExample, toTrigger } from "./documented.ts";

const triggers: HttpTrigger[] = [
  toTrigger("obs", { bucket: "images", events: ["s3:ObjectCreated:*"], prefix: "in/", suffix: ".jpg" }),
  toTrigger("obs", { bucket: "b", events: ["DeleteMarkerCreated"] }),
  toTrigger("lts", { logGroupId: "g", logTopicId: "t" }),
  toTrigger("cts", { operations: ["ECS:ecs;server:restartServer;deleteServer"] }),
  toTrigger("cts", { operations: ["*:*:*"] }),
  toTrigger("cloudevents", {}),
  toTrigger("cloudevents", { types: ["com.example.*"], sources: ["*"] }),
];
const styles: HandlerStyle[] = ["event", "request"];

/** The documents' events with one part of them replaced by anything. */
const nearly = fc
  .tuple(
    fc.constantFrom<unknown>(obsExample, minioExample, ltsExample, ctsExample, {
      ...{ specversion: "1.0", id: "1", source: "/s", type: "t", time: "2018-04-05T17:31:00Z", data: {} },
    }),
    fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 6 }),
    fc.oneof(fc.jsonValue(), fc.constantFrom("__proto__", "%", "s3:ObjectCreated:Put")),
  )
  .map(([value, path, other]) => {
    const copy = structuredClone(value) as Record<string, unknown>;
    let at = copy;
    for (const step of path) {
      const keys = Object.keys(at);
      const key = keys[step % keys.length]!;
      const next = at[key];
      if (typeof next !== "object" || next === null || Object.keys(next).length === 0 || step > 15) {
        at[key] = other;
        break;
      }
      at = next as Record<string, unknown>;
    }
    return Buffer.from(JSON.stringify(copy));
  });
const body = fc.oneof(
  { weight: 3, arbitrary: nearly },
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
);
const headers = fc
  .record(
    {
      "content-type": fc.constantFrom(
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
        "text/plain",
        "application/cloudevents+x",
      ),
      "ce-specversion": fc.constantFrom("1.0", "0.3"),
      "ce-id": fc.string(),
      "ce-source": fc.string(),
      "ce-type": fc.string(),
      "ce-x": fc.string(),
    },
    { requiredKeys: [] },
  )
  .map((one) => Object.entries(one).flat() as string[]);

describe("any input", () => {
  it("is read, or refused with a code for the sender: never a fault of ours", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.constantFrom(...triggers),
        fc.constantFrom(...styles),
        headers,
        body,
        (trigger, style, list, bytes) => {
          try {
            const { parts, filtered } = readDelivery(trigger, style, { headers: list, body: bytes });
            seen.add(parts.length > 0 ? "taken" : `filtered ${Math.min(1, filtered)}`);
          } catch (error) {
            if (!(error instanceof FnbusError)) throw error;
            seen.add(error.code);
            expect([error.code, error.row.side, error.row.status < 500]).toEqual([error.code, "caller", true]);
          }
        },
      ),
      { numRuns: 3_000 },
    );
    expect([...seen]).toEqual(expect.arrayContaining(["taken", "filtered 1", "event_malformed", "invalid_json"]));
  });

  it.each(triggers)("a sample of $type is one that the trigger takes", (trigger) => {
    for (const style of styles)
      expect(readEvent(trigger, style, undefined)).toMatchObject({ parts: [{}], filtered: 0 });
  });

  it("nesting deeper than the stack is refused", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const inside = (value: object, field: string) =>
      Buffer.from(JSON.stringify({ ...value, [field]: "?" }).replace('"?"', deep));
    const obs = { ...obsExample.Records[0], extra: "?" };
    for (const [trigger, bytes] of [
      [triggers[4], inside(ctsExample.cts, "request")],
      [triggers[2], inside({ logs: [] }, "owner")],
      [
        toTrigger("obs", { bucket: obs.s3!.bucket.name, events: ["Post"] }),
        Buffer.from(JSON.stringify({ Records: [obs] }).replace('"?"', deep)),
      ],
    ] as const)
      expect(() => readDelivery(trigger!, "event", { headers: [], body: bytes })).toThrow("nested too deeply");
  });
});
