import { assertSilence } from "@fnbus/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Platform, result, sendRaw, startExecutor, startLedger, startPlatform } from "./platform.ts";

const RUNS_A_ROUTE = 25;

describe("hostile input", () => {
  let platform: Platform;
  let stops: (() => unknown)[];
  const silence = assertSilence();

  beforeAll(async () => {
    platform = await startPlatform();
    await platform.deploy("hello");
    const executor = startExecutor(platform.bus, ({ body }) => ({ reply: { ok: true, result: result() }, body }));
    const ledger = await startLedger(platform.bus);
    stops = [executor.stop, ledger.stop];
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
    await platform.stop();
    silence.assert();
  });
  const head = (method: string, path: string, lines: string[] = []) =>
    [`${method} ${path} HTTP/1.1`, "host: x", `authorization: Bearer ${platform.adminKey}`, ...lines, "", ""].join(
      "\r\n",
    );
  const raw = (...args: Parameters<typeof head>) => sendRaw(platform.url, head(...args), 300);
  const codeOf = (answer: string) => [/^HTTP\/1.1 (\d+)/.exec(answer)?.[1], /x-fnbus-error: (\S+)/i.exec(answer)?.[1]];
  const invoke = "/spaces/default/functions/hello/invoke";

  it.each<[string, string, string, string[], [string, string]]>([
    ["four path levels", "POST", `${invoke}/a/b/c/d`, [], ["404", "path_too_deep"]],
    ["an unknown function", "POST", "/spaces/default/functions/nope/invoke", [], ["404", "function_not_found"]],
    ["an unknown space", "POST", "/spaces/nope/functions/hello/invoke", [], ["404", "space_not_found"]],
    ["an unknown route", "GET", "/nothing/here", [], ["404", "route_not_found"]],
    ["HEAD", "HEAD", invoke, [], ["405", "method_not_allowed"]],
    ["OPTIONS", "OPTIONS", invoke, [], ["405", "method_not_allowed"]],
    ["a method of WebDAV", "PROPFIND", invoke, [], ["405", "method_not_allowed"]],
    ["a method that is none", "BREW", invoke, [], ["400", "invalid_request"]],
    ["a long query", "GET", `${invoke}?${"q".repeat(9000)}`, [], ["414", "uri_too_long"]],
    ["a long name", "GET", `/spaces/default/functions/${"n".repeat(600)}/invoke`, [], ["414", "uri_too_long"]],
    ["a path that cannot be decoded", "GET", "/spaces/%zz/functions/x/invoke", [], ["400", "invalid_request"]],
    [
      "an encoded body",
      "POST",
      invoke,
      ["content-encoding: gzip", "content-length: 0"],
      ["415", "content_encoding_unsupported"],
    ],
    [
      "a body over the limit, before it is sent",
      "POST",
      invoke,
      ["content-length: 99999999"],
      ["413", "body_too_large"],
    ],
    ["two lengths", "POST", invoke, ["content-length: 1", "content-length: 2"], ["400", "invalid_request"]],
    [
      "length and chunks",
      "POST",
      invoke,
      ["content-length: 1", "transfer-encoding: chunked"],
      ["400", "invalid_request"],
    ],
    ["a line break in a header", "GET", invoke, ["x-a: b\rx-c: d"], ["400", "invalid_request"]],
    ["a header with control characters", "GET", invoke, ["x-a: \x01"], ["400", "invalid_request"]],
    ["101 headers", "GET", invoke, Array.from({ length: 101 }, (_, at) => `x-${at}: 1`), ["431", "headers_too_large"]],
    [
      "33 kB of headers",
      "GET",
      invoke,
      Array.from({ length: 5 }, (_, at) => `x-${at}: ${"v".repeat(7000)}`),
      ["431", "headers_too_large"],
    ],
    ["100 kB of headers", "GET", invoke, [`x-a: ${"v".repeat(100_000)}`], ["431", "headers_too_large"]],
    [
      "an empty idempotency key",
      "POST",
      invoke,
      ["idempotency-key: ", "content-length: 0"],
      ["400", "idempotency_key_invalid"],
    ],
    [
      "a doubled idempotency key",
      "POST",
      invoke,
      ["idempotency-key: a", "idempotency-key: b", "content-length: 0"],
      ["400", "idempotency_key_invalid"],
    ],
    [
      "a long idempotency key",
      "POST",
      invoke,
      [`idempotency-key: ${"k".repeat(256)}`, "content-length: 0"],
      ["400", "idempotency_key_invalid"],
    ],
    ["a call id with spaces", "POST", invoke, ["x-call-id: a b", "content-length: 0"], ["400", "invalid_header"]],
    ["a timeout that is none", "POST", invoke, ["x-timeout: soon", "content-length: 0"], ["400", "invalid_header"]],
    [
      "a call that came through too many functions",
      "POST",
      invoke,
      ["x-call-depth: 8", "content-length: 0"],
      ["508", "callback_loop"],
    ],
  ])("%s is refused with a code of its own", async (_what, method, path, lines, expected) => {
    expect(codeOf(await raw(method, path, lines))).toEqual(expected);
  });

  it("names the methods that a route takes", async () => {
    expect(await raw("HEAD", invoke)).toMatch(/allow: POST, GET, PUT, PATCH, DELETE\r\n/i);
  });

  it.each([
    ["none", undefined],
    ["Basic", "Basic YTpi"],
    ["an empty bearer", "Bearer "],
    ["a key that is none", "Bearer fnb_x_y"],
    ["an unknown key", `Bearer fnb_01900000-0000-7000-8000-000000000000_${"A".repeat(43)}`],
  ])("credentials: %s is 401 with the same words", async (_what, authorization) => {
    const answer = await platform.fetch(invoke, {
      key: null,
      ...(authorization ? { headers: { authorization } } : {}),
    });
    expect([answer.status, await answer.json()]).toEqual([401, { error: { status: 401, message: "Unauthenticated" } }]);
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
  });

  it("a wrong secret of a real key is 401", async () => {
    const answer = await platform.fetch(invoke, { key: `${platform.adminKey.slice(0, -2)}AA` });
    expect([answer.status, answer.headers.get("x-fnbus-error")]).toEqual([401, "unauthenticated"]);
  });

  it("garbage on the bus does not end the gateway", async () => {
    for (const subject of ["announce.ledger.0", "announce.executors", "logs.default.hello"])
      platform.bus.publish(subject, Buffer.from([0, 1, 255]));
    const answer = await platform.fetch("/spaces/default/functions/hello/logs");
    expect(answer.status).toBe(200);
  });

  it("nothing is open by default but the API's description and tokens", async () => {
    for (const path of ["/openapi.json", "/docs/"])
      expect((await platform.fetch(path, { key: null })).status).toBe(200);
    for (const [path, methods] of await routesOf(platform))
      for (const method of methods.filter((one) => !path.startsWith("/oauth2/") && one !== "parameters")) {
        const answer = await platform.fetch(path.replaceAll(/\{[^}]+\}/g, "x"), {
          method: method.toUpperCase(),
          key: null,
        });
        expect([path, method, answer.status]).toEqual([path, method, 401]);
      }
  });

  it("random bytes, headers and JSON at every route: no 500, and the gateway goes on", async () => {
    const routes = [
      ...(await routesOf(platform)),
      ["/spaces/{space}/functions/{name}/invoke/{a}/{b}", ["post", "get"]] as const,
    ];
    const word = fc.oneof(
      fc.constantFrom("default", "hello", "x", "%00", "..", "a%2fb"),
      fc.string({ maxLength: 40 }).map(encodeURIComponent),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text)),
      fc
        .dictionary(
          fc.constantFrom(
            "name",
            "source",
            "timeoutMs",
            "environment",
            "retry",
            "scopes",
            "env",
            "version",
            "ids",
            "host",
            "type",
            "config",
            "function",
            "callback_url",
            "event",
          ),
          fc.jsonValue(),
        )
        .map((value) => Buffer.from(JSON.stringify(value))),
    );
    const type = fc.constantFrom(
      "application/json",
      "application/zip",
      "text/plain",
      "x",
      "application/x-www-form-urlencoded",
      "application/json; charset=\x7f",
    );
    const headerName = fc.constantFrom(
      "x-call-id",
      "x-timeout",
      "if-match",
      "idempotency-key",
      "x-callback-url",
      "connection",
      "x-forwarded-for",
      "traceparent",
      "expect",
    );
    const headers = fc.dictionary(
      headerName,
      fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "~")),
      { maxKeys: 3 },
    );
    const query = fc.oneof(
      fc.constant(""),
      fc.string({ maxLength: 30 }).map(encodeURIComponent),
      fc.constantFrom("since=1e99", "tail=-1", "limit=x", "cursor=zz", "wait=1e9", "state=a&state=b"),
    );
    const seen = new Map<number, number>();
    for (const [path, methods] of routes)
      for (const method of methods)
        await fc.assert(
          fc.asyncProperty(
            fc.array(word, { minLength: 5, maxLength: 5 }),
            query,
            headers,
            type,
            body,
            async (words, search, extra, contentType, bytes) => {
              let at = 0;
              const target = `${path.replaceAll(/\{[^}]+\}/g, () => words[at++]!)}${search && `?${search}`}`;
              const lines = Object.entries({ ...extra, "content-type": contentType }).map(
                ([name, value]) => `${name}: ${value}`,
              );
              const request = head(method.toUpperCase(), target, [
                ...lines,
                `content-length: ${bytes.length}`,
                "connection: close",
              ]);
              const answer = await sendRaw(platform.url, Buffer.concat([Buffer.from(request, "latin1"), bytes]), 3000);
              const status = Number(/^HTTP\/1.1 (?:100 Continue\r\n\r\nHTTP\/1.1 )?(\d+)/.exec(answer)?.[1]);
              seen.set(status, (seen.get(status) ?? 0) + 1);
              expect([status, target, answer.slice(0, 400)]).toSatisfy(
                ([code]) => code >= 200 && code !== 500 && code < 600,
              );
            },
          ),
          { numRuns: RUNS_A_ROUTE },
        );
    expect(seen.size).toBeGreaterThan(5);
    expect((await platform.fetch("/v1/whoami")).status).toBe(200);
  }, 300_000);
});

async function routesOf(platform: Platform): Promise<[string, string[]][]> {
  const { paths } = (await (await platform.fetch("/openapi.json")).json()) as { paths: Record<string, object> };
  return Object.entries(paths).map(([path, methods]) => [path, Object.keys(methods)]);
}
