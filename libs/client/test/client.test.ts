import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createClient } from "../src/client.ts";
import { ClientError } from "../src/client-error.ts";
import { retryDelayMs } from "../src/retry.ts";

const failure = (code: ConstructorParameters<typeof ClientError>[0]["code"], retryAfterSeconds?: number) =>
  new ClientError({ code, message: "", status: 503, retryAfterSeconds });

describe("repeats", () => {
  const first = { attempt: 1, retries: 3 };
  test("a refusal before anything ran is repeated, whatever the request", () => {
    expect(retryDelayMs(failure("no_executor"), { ...first, isSafe: false }, 1)).toBe(200);
  });
  test("what may have run is repeated only where it cannot run twice", () => {
    for (const code of ["accept_unknown", "executor_lost", "unreachable"] as const) {
      expect(retryDelayMs(failure(code), { ...first, isSafe: false }, 1)).toBeUndefined();
      expect(retryDelayMs(failure(code), { ...first, isSafe: true }, 1)).toBe(200);
    }
  });
  test("what the table calls final is not repeated", () => {
    expect(retryDelayMs(failure("function_not_found"), { ...first, isSafe: true }, 1)).toBeUndefined();
  });
  test("Retry-After is the least, tries are bounded", () => {
    expect(retryDelayMs(failure("overloaded", 5), { ...first, isSafe: true }, 0)).toBe(5000);
    expect(retryDelayMs(failure("overloaded"), { attempt: 4, retries: 3, isSafe: true }, 0)).toBeUndefined();
  });
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let close = () => {};
afterEach(() => close());

async function serve(handler: Handler) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    request.resume();
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  close = () => void server.close();
  return {
    seen,
    client: createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, apiKey: "k" }),
  };
}

describe("calls", () => {
  test("I9: a function's own 503 is its answer, the platform's is an error", async () => {
    const { client } = await serve((request, response) =>
      request.url!.includes("/mine/")
        ? response.writeHead(503, { "x-duration-seconds": "0.001", "x-fnbus-invocation-id": "i" }).end("busy")
        : response.writeHead(504, { "x-fnbus-error": "deadline_exceeded", "x-fnbus-error-side": "platform" }).end("{}"),
    );
    const answer = await client.invoke("s", "mine");
    expect([answer.status, Buffer.from(answer.body).toString(), answer.error]).toEqual([503, "busy", undefined]);
    await expect(client.invoke("s", "other")).rejects.toMatchObject({ code: "deadline_exceeded", side: "platform" });
  });
  test("a 202 that says not ready is no answer of the function", async () => {
    const { client } = await serve((_request, response) =>
      response.writeHead(202, { "x-fnbus-error": "function_not_found", "x-fnbus-error-side": "caller" }).end("{}"),
    );
    await expect(client.invoke("s", "f")).rejects.toMatchObject({ code: "function_not_found" });
  });
  test("I2: an asynchronous call is repeated with the same key", async () => {
    const { client, seen } = await serve((_request, response) =>
      seen.length === 1
        ? response.writeHead(503, { "x-fnbus-error": "accept_unknown", "x-fnbus-error-side": "platform" }).end("{}")
        : response.writeHead(202, { "x-fnbus-invocation-id": "id", "x-call-id": "c" }).end(),
    );
    expect(await client.invokeAsync("s", "f", { callbackUrl: "http://x" })).toMatchObject({ id: "id", callId: "c" });
    expect(seen).toHaveLength(2);
    expect(seen[0]!.headers["idempotency-key"]).toBe(seen[1]!.headers["idempotency-key"]);
    expect(seen[0]!.headers["x-callback-url"]).toBe("http://x");
  });
  test("an invocation without a key is not sent twice when the connection breaks", async () => {
    const { client, seen } = await serve((request) => request.socket.destroy());
    await expect(client.invoke("s", "f")).rejects.toMatchObject({ code: "unreachable" });
    expect(seen).toHaveLength(1);
  });
  test("problem details become an error with their facts", async () => {
    const body = JSON.stringify({ code: "invalid_request", detail: "no", fix: "do", details: { field: "x" } });
    const { client } = await serve((_request, response) => response.writeHead(400).end(body));
    await expect(client.spaces.list()).rejects.toMatchObject({
      ...{ code: "invalid_request", message: "no", fix: "do", details: { field: "x" }, side: "caller" },
    });
  });
  test("an upload tells how far it is, and a repeat sends all of it again", async () => {
    const received: number[] = [];
    const { client } = await serve((request, response) => {
      let bytes = 0;
      request.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on("end", () => {
        received.push(bytes);
        const isFirst = received.length === 1;
        response.writeHead(isFirst ? 503 : 200, isFirst ? { "x-fnbus-error": "no_executor" } : {}).end("{}");
      });
    });
    const told: number[] = [];
    await client.functions.putCode("default", "f", new Uint8Array(200_000), (sent) => told.push(sent));
    expect(received).toEqual([200_000, 200_000]);
    const once = [65_536, 131_072, 196_608, 200_000];
    expect(told).toEqual([...once, ...once]);
  });

  test("a redirect is not followed: it would carry the key away", async () => {
    const { client, seen } = await serve((_request, response) => response.writeHead(302, { location: "/other" }).end());
    await expect(client.spaces.list()).rejects.toMatchObject({ code: "unknown", status: 302 });
    expect(seen).toHaveLength(1);
  });
});
