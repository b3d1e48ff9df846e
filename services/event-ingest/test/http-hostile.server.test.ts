import { connect } from "node:net";
import { assertSilence } from "@fnbus/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toTrigger } from "./documented.ts";
import { type HttpPlatform, startHttpPlatform } from "./http-platform.ts";

/** Sends raw bytes and reads until the server ends the connection or is silent. */
function sendRaw(url: string, bytes: Uint8Array, waitMs = 3_000): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    socket.setTimeout(waitMs, () => socket.destroy());
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", () => undefined);
    socket.write(bytes);
  });
}

describe("hostile senders", () => {
  let platform: HttpPlatform;
  const silence = assertSilence();

  beforeAll(async () => {
    platform = await startHttpPlatform();
    await Promise.all([platform.createFunction("taker"), platform.createFunction("asker", "request")]);
    await platform.createTrigger(toTrigger("obs", { bucket: "b", events: ["ObjectCreated"] }));
    await platform.createTrigger(toTrigger("lts", { logGroupId: "g", logTopicId: "t" }));
    await platform.createTrigger(toTrigger("cts", { operations: ["*:*:*"] }));
    await platform.createTrigger({
      ...toTrigger("cloudevents", {}),
      function: { name: "asker", qualifier: "latest" },
    });
  });
  afterAll(async () => {
    await platform.stop();
    silence.assert();
  });

  const send = (method: string, path: string, lines: string[], body: Uint8Array = Buffer.from("")) => {
    const head = [`${method} ${path} HTTP/1.1`, "host: x", `authorization: Bearer ${platform.key}`, ...lines, "", ""];
    return sendRaw(platform.url, Buffer.concat([Buffer.from(head.join("\r\n"), "latin1"), body]));
  };
  const statusOf = (answer: string) => Number(/^HTTP\/1.1 (?:100 Continue\r\n\r\nHTTP\/1.1 )?(\d+)/.exec(answer)?.[1]);

  it.each<[string, string, string, string[], number]>([
    ["100 kB of headers", "POST", "/events/test/obs", [`x-a: ${"v".repeat(100_000)}`], 431],
    ["two lengths", "POST", "/events/test/obs", ["content-length: 1", "content-length: 2"], 400],
    ["length and chunks", "POST", "/events/test/obs", ["content-length: 1", "transfer-encoding: chunked"], 400],
    ["a body over the limit, before it is sent", "POST", "/events/test/obs", ["content-length: 99999999"], 413],
    ["a long name", "POST", `/events/test/${"n".repeat(600)}`, ["content-length: 0"], 414],
    ["a path that cannot be decoded", "POST", "/events/%zz/obs", ["content-length: 0"], 400],
    ["a method that is none", "BREW", "/events/test/obs", [], 400],
    ["no body", "POST", "/events/test/obs", [], 400],
  ])("%s is refused", async (_what, method, path, lines, status) => {
    expect(statusOf(await send(method, path, [...lines, "connection: close"]))).toBe(status);
  });

  it("random bytes, headers and JSON: never a 500, and the service goes on", async () => {
    const word = fc.oneof(
      fc.constantFrom("test", "obs", "lts", "cts", "cloudevents", "%00", "..", "a%2fb", "__proto__"),
      fc.string({ maxLength: 40 }).map(encodeURIComponent),
    );
    const path = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom("obs", "lts", "cts", "cloudevents").map((name) => `/events/test/${name}`),
      },
      fc.tuple(word, word).map(([space, name]) => `/events/${space}/${name}`),
    );
    const header = fc.tuple(
      fc.constantFrom(
        "content-type",
        "ce-id",
        "ce-specversion",
        "ce-x",
        "webhook-request-origin",
        "traceparent",
        "expect",
      ),
      fc.oneof(
        fc.constantFrom("1.0", "application/cloudevents+json", "application/cloudevents-batch+json", "x", "%ff"),
        fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "~")),
      ),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text)),
      fc
        .dictionary(fc.constantFrom("Records", "lts", "cts", "logs", "id", "source", "data"), fc.jsonValue())
        .map((value) => Buffer.from(JSON.stringify(value))),
    );
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("POST", "POST", "POST", "OPTIONS", "PUT"),
        path,
        fc.array(header, { maxLength: 5 }),
        body,
        async (method, target, headers, bytes) => {
          const lines = headers.map(([name, value]) => `${name}: ${value}`);
          const answer = await send(
            method,
            target,
            [...lines, `content-length: ${bytes.length}`, "connection: close"],
            bytes,
          );
          seen.add(statusOf(answer));
          expect([statusOf(answer), answer.slice(0, 400)]).toSatisfy(([status]) => status >= 200 && status < 500);
        },
      ),
      { numRuns: 300 },
    );
    expect(seen.size).toBeGreaterThan(3);
    expect((await platform.post("obs", { Records: [] })).status).toBe(200);
  });
});
