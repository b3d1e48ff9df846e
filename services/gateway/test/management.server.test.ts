import { buffer } from "node:stream/consumers";
import { decodeFrame, type InvocationView, subjects } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { type Platform, startLedger, startPlatform } from "./platform.ts";
import { createAnswer } from "./questions.ts";

type Json = Record<string, unknown> & { code?: string; data?: Record<string, unknown>[] };

describe("the management API", () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(() => platform.stop());

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    key?: string,
  ) {
    const isBytes = body instanceof Uint8Array;
    const answer = await platform.fetch(`/v1${path}`, {
      method,
      headers: { ...(body === undefined || isBytes ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined
        ? {}
        : {
            body: isBytes ? (body as Uint8Array<ArrayBuffer>) : typeof body === "string" ? body : JSON.stringify(body),
          }),
      ...(key === undefined ? {} : { key }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: (/[+/]json/.test(answer.headers.get("content-type") ?? "") ? JSON.parse(text) : {}) as Json,
    };
  }
  const functions = "/spaces/default/functions";
  const inline = (text = "exports.handler = async () => 1;") => ({ files: { "index.js": text } });
  const codeObjects = async () => (await (await platform.bus.objects("CODE")).list()).length;

  it("creates, shows, changes, lists and deletes a function, with its revision", async () => {
    const made = await call("POST", functions, { name: "one", source: inline(), timeoutMs: 5000 });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      name: "one",
      status: "Running",
      settings: { runtime: "nodejs", handler: "index.handler", style: "event", timeoutMs: 5000 },
    });
    const etag = made.headers.get("etag")!;
    expect((await call("GET", `${functions}/one`)).headers.get("etag")).toBe(etag);
    const patched = await call(
      "PATCH",
      `${functions}/one`,
      { memoryMb: 256, concurrency: { limit: 3 } },
      { "if-match": etag },
    );
    expect(patched.json).toMatchObject({
      settings: { memoryMb: 256, timeoutMs: 5000, concurrency: { limit: 3, perInstance: 1 } },
    });
    expect((await call("PATCH", `${functions}/one`, { memoryMb: 128 }, { "if-match": etag })).json.code).toBe(
      "revision_conflict",
    );
    const put = await call("PUT", `${functions}/one`, { runtime: "nodejs", handler: "index.handler" });
    expect(put.json).toMatchObject({ settings: { memoryMb: 128, timeoutMs: 60_000 } });
    expect((await call("GET", functions)).json.data!.map(({ name }) => name)).toContain("one");
    expect((await call("DELETE", `${functions}/one`)).status).toBe(204);
    expect((await call("GET", `${functions}/one`)).json.code).toBe("function_not_found");
    expect(await codeObjects()).toBe(0);
  });

  it("keeps versions of code and goes back to one", async () => {
    await call("POST", functions, { name: "two", source: inline("exports.handler = () => 1;") });
    const zip = await makeZip({ "index.js": "exports.handler = () => 2;" });
    expect((await call("PUT", `${functions}/two/code`, zip, { "content-type": "application/zip" })).json).toMatchObject(
      { code: { number: 2 } },
    );
    await until(
      "both versions are listed",
      async () => (await call("GET", `${functions}/two/code/versions`)).json.data!.length === 2,
    );
    expect((await call("POST", `${functions}/two/code/rollback`, { version: 1 })).json).toMatchObject({
      code: { number: 1 },
    });
    expect((await call("POST", `${functions}/two/code/rollback`, { version: 9 })).json.code).toBe("version_not_found");
    expect((await call("PUT", `${functions}/two/code`, zip, { "content-type": "application/zip" })).json).toMatchObject(
      { code: { number: 3 } },
    );
  });

  it("takes a function before its code: not ready until then, and the handler is read from the code", async () => {
    expect((await call("POST", functions, { name: "later" })).json).toMatchObject({ status: "Pending" });
    const early = await platform.fetch("/spaces/default/functions/later/invoke", { method: "POST" });
    expect([early.status, await early.json()]).toEqual([202, { details: "function not ready" }]);
    const zip = await makeZip({ "handler.py": "def handle(req):\n  return 1\n" });
    const ready = await call("PUT", `${functions}/later/code`, zip, { "content-type": "application/zip" });
    expect(ready.json).toMatchObject({
      status: "Running",
      settings: { runtime: "python", handler: "handler.handle", style: "request" },
    });
  });

  it("asks an executor whether code is fit, and creates nothing where it is not", async () => {
    const objects = await codeObjects();
    const seen: unknown[] = [];
    const checks = platform.bus.subscribe(subjects.check("shared"), (message) => {
      seen.push(JSON.parse(Buffer.from(message.data).toString()));
      message.respond(
        Buffer.from(JSON.stringify({ ok: false, code: "source_invalid", message: "line 3", details: { line: 3 } })),
      );
    });
    const refused = await call("POST", functions, { name: "unfit", source: inline("exports.handler = (") });
    checks.unsubscribe();
    expect([refused.status, refused.json.code, refused.json.details]).toEqual([422, "source_invalid", { line: 3 }]);
    expect(seen[0]).toMatchObject({ runtime: "nodejs", handler: "index.handler" });
    expect(platform.registry.functionByName("default", "unfit")).toBeUndefined();
    expect(await codeObjects()).toBe(objects);
  });

  it.each<[string, Record<string, unknown> | string, string, number]>([
    ["an unknown field", { name: "x", colour: "red" }, "invalid_request", 400],
    ["a name with a dot", { name: "a.b" }, "invalid_request", 400],
    ["broken JSON", '{"name": "x"', "invalid_json", 400],
    ["a __proto__ field", '{"name":"x","environment":{"__proto__":{"a":"b"}}}', "invalid_json", 400],
    ["an unknown runtime", { name: "x", runtime: "cobol", source: inline() }, "runtime_unknown", 422],
    ["a handler without a file", { name: "x", handler: "other.handler", source: inline() }, "handler_missing", 422],
    ["a handler that is none", { name: "x", handler: "no handler", source: inline() }, "handler_invalid", 422],
    ["a folder without a handler", { name: "x", source: { files: { "readme.md": "" } } }, "handler_missing", 422],
    ["an impossible memory", { name: "x", memoryMb: 1, source: inline() }, "limit_out_of_range", 422],
    ["an impossible timeout", { name: "x", timeoutMs: 1e9, source: inline() }, "limit_out_of_range", 422],
    [
      "more prestarted than allowed",
      { name: "x", concurrency: { limit: 1, prestart: 2 }, source: inline() },
      "limit_out_of_range",
      422,
    ],
    ["no code in a source", { name: "x", source: {} }, "code_missing", 422],
    ["a path that leaves its folder", { name: "x", source: { files: { "../index.js": "" } } }, "zip_path_unsafe", 422],
    ["a ZIP that is none", { name: "x", source: { zip: "aGVsbG8=" } }, "zip_invalid", 422],
  ])("refuses %s with a code of its own", async (_what, body, code, status) => {
    const objects = await codeObjects();
    const answer = await call("POST", functions, body);
    expect([answer.json.code, answer.status]).toEqual([code, status]);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.json).toMatchObject({ status, fix: expect.any(String), title: expect.any(String) });
    expect(await codeObjects()).toBe(objects);
  });

  it("refuses a second function of a name, an unknown space, and a space with functions", async () => {
    await call("POST", functions, { name: "twice", source: inline() });
    expect((await call("POST", functions, { name: "twice", source: inline() })).json.code).toBe("function_exists");
    expect((await call("POST", "/spaces/nowhere/functions", { name: "x", source: inline() })).json.code).toBe(
      "space_not_found",
    );
    expect((await call("DELETE", "/spaces/default")).json.code).toBe("space_not_empty");
    expect((await call("POST", "/spaces", { name: "default" })).json.code).toBe("space_exists");
  });

  it("I10: keys open only what they were given", async () => {
    const made = await call("POST", "/keys", { name: "k", scopes: ["function.read"], spaces: ["default"] });
    const key = made.json.key as string;
    expect(made.text).not.toContain("secretHash");
    await until("the key is known", async () => (await call("GET", functions, undefined, {}, key)).status === 200);
    expect((await call("POST", functions, { name: "no" }, {}, key)).json).toMatchObject({
      code: "scope_missing",
      details: { scope: "function.create" },
    });
    await call("POST", "/spaces", { name: "foreign" });
    expect((await call("GET", "/spaces/foreign", undefined, {}, key)).json.code).toBe("space_forbidden");
    expect((await call("GET", "/spaces", undefined, {}, key)).json.data!.map(({ name }) => name)).toEqual(["default"]);
    expect((await call("GET", "/keys", undefined, {}, key)).status).toBe(403);
    const admin = await platform.key(["admin"], ["default"]);
    expect((await call("POST", "/keys", { name: "more", scopes: ["admin"] }, {}, admin)).json.code).toBe(
      "space_forbidden",
    );
    expect((await call("GET", "/keys")).text).not.toContain("secretHash");
    await call("DELETE", `/keys/${made.json.id}`);
    await until(
      "the key is revoked",
      async () => (await call("GET", functions, undefined, {}, key)).json.code === "key_revoked",
    );
    const expired = await platform.key(["admin"], [], { expiresAt: Date.now() - 1 });
    await until(
      "it is known",
      async () => (await call("GET", "/whoami", undefined, {}, expired)).json.code === "key_expired",
    );
  });

  it("limits a key to its rate, with the headers that say so", async () => {
    const key = await platform.key(["function.read"], [], { rate: 5 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => call("GET", functions, undefined, {}, key)));
    const limited = answers.find(({ status }) => status === 429)!;
    expect(limited.json.code).toBe("rate_limited");
    expect([limited.headers.get("retry-after"), limited.headers.get("ratelimit")]).toEqual(["1", '"key";r=0;t=1']);
  });

  it("gives OAuth2 clients tokens, and takes them back", async () => {
    const client = (await call("POST", "/clients", { name: "c", scopes: ["function"] })).json;
    const form = (fields: Record<string, string>, path = "token") =>
      platform.fetch(`/oauth2/${path}`, { method: "POST", key: null, body: new URLSearchParams(fields) });
    const credentials = { client_id: String(client.client_id), client_secret: String(client.client_secret) };
    await until(
      "the client is known",
      async () => (await form({ grant_type: "client_credentials", ...credentials })).status === 200,
    );
    const token = (await (
      await form({ grant_type: "client_credentials", ...credentials, scope: "function.read" })
    ).json()) as Json;
    expect(token).toEqual({
      access_token: expect.any(String),
      expires_in: 604_799,
      scope: "function.read",
      token_type: "bearer",
    });
    const bearer = String(token.access_token);
    await until("the token is known", async () => (await call("GET", functions, undefined, {}, bearer)).status === 200);
    expect((await call("POST", functions, { name: "no" }, {}, bearer)).status).toBe(403);
    const wrong = await form({ grant_type: "client_credentials", ...credentials, client_secret: "x" });
    expect([wrong.status, await wrong.json()]).toEqual([
      401,
      {
        error: "invalid_client",
        error_description: expect.any(String),
        error_hint: expect.any(String),
        status_code: 401,
      },
    ]);
    expect(await (await form({ grant_type: "password", ...credentials })).json()).toMatchObject({
      error: "unsupported_grant_type",
    });
    expect(
      await (await form({ grant_type: "client_credentials", ...credentials, scope: "admin" })).json(),
    ).toMatchObject({ error: "invalid_scope" });
    expect((await form({ ...credentials, token: bearer }, "revoke")).status).toBe(200);
    await until("the token is gone", async () => (await call("GET", functions, undefined, {}, bearer)).status === 401);
  });

  it("shows invocations, their results, cancels and redrives them through the ledger", async () => {
    await call("POST", functions, { name: "dead", source: inline() });
    const { id: registryId } = platform.registry.functionByName("default", "dead")!.definition;
    const ledger = await startLedger(platform.bus);
    const id = "01900000-0000-7000-8000-000000000001";
    const questions = createAnswer(platform.bus, id, registryId);
    expect((await call("GET", `/spaces/default/invocations/${id}?wait=1`)).json).toMatchObject({
      id,
      state: "dead-lettered",
    } satisfies Partial<InvocationView>);
    expect(questions.asked.at(-1)).toEqual({ ask: "wait", space: "default", id, timeoutMs: 1000 });
    const result = await platform.fetch(`/v1/spaces/default/invocations/${id}/result`);
    expect([result.status, result.headers.get("x-mine"), await result.text()]).toEqual([500, "1", "the body"]);
    expect((await call("GET", "/spaces/default/invocations/unknown")).json.code).toBe("invocation_not_found");
    expect((await call("POST", `/spaces/default/invocations/${id}/cancel`)).json.code).toBe("invocation_ended");
    const page = await call("GET", "/spaces/default/dead-letters?limit=1&since=2020-01-01T00:00:00Z");
    expect(page.json).toMatchObject({ data: [{ id }], next: "0.more" });
    expect(questions.asked.at(-1)).toMatchObject({ filter: { states: ["dead-lettered"], since: Date.UTC(2020, 0) } });
    expect((await call("POST", "/spaces/default/dead-letters/redrive", { dryRun: true })).json).toMatchObject({
      wouldRedrive: [id],
    });
    const redriven = await call("POST", `/spaces/default/invocations/${id}/redrive`);
    expect(redriven.status).toBe(202);
    await until("it is accepted", () => ledger.accepted.some((head) => head.id === redriven.json.id));
    const stored = await platform.bus.readLast("INVOCATIONS_0", subjects.invocations(0));
    expect(decodeFrame(Buffer.from(stored!.data), 8).meta).toMatchObject({
      redriveOf: id,
      source: "redrive",
      registryId,
    });
    questions.stop();
    await ledger.stop();
  });

  it("follows a function's log without a gap or a double", async () => {
    await call("POST", functions, { name: "chatty", source: inline() });
    const { id: registryId } = platform.registry.functionByName("default", "chatty")!.definition;
    const write = (text: string) => {
      const line = {
        at: Date.now(),
        function: "chatty",
        registryId,
        instance: "e-1",
        invocation: "i",
        stream: "stdout",
        text,
      };
      platform.bus.publish(subjects.logs("default", "chatty"), Buffer.from(JSON.stringify([line])));
    };
    for (let at = 0; at < 5; at++) write(`line ${at}`);
    await until(
      "the log is stored",
      async () => (await call("GET", `${functions}/chatty/logs`)).text.split("\n").length === 6,
    );
    const stop = new AbortController();
    const answer = await platform.fetch(`/v1${functions}/chatty/logs?follow=true&tail=2`, { signal: stop.signal });
    const texts: string[] = [];
    const reading = (async () => {
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream()))
        for (const line of chunk.split("\n").filter(Boolean)) texts.push(JSON.parse(line).text);
    })().catch(() => undefined);
    await until("the stored lines came", () => texts.length === 2);
    write("line 5");
    await until("the live line came", () => texts.length === 3);
    stop.abort();
    await reading;
    expect(texts).toEqual(["line 3", "line 4", "line 5"]);
    const dialect = await platform.fetch("/spaces/default/functions/chatty/logs?tail=1");
    expect(dialect.headers.get("content-type")).toContain("application/x-ndjson");
    expect(JSON.parse(await dialect.text())).toEqual({
      name: "chatty",
      instance: "e-1",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      text: "line 5",
    });
  });

  it("refuses archives that would harm whoever unpacks them, each with its own code", async () => {
    const put = async (zip: Uint8Array) =>
      (await call("PUT", `${functions}/twice/code`, zip, { "content-type": "application/zip" })).json.code;
    expect(await put(await makeZip({ "index.js": "1", link: "/etc/passwd" }, { link: 0o120777 }))).toBe("zip_symlink");
    expect(await put(await makeZip({ "index.js": "1", bomb: "0".repeat(20_000_000) }))).toBe("zip_too_large");
    const evil = await makeZip({ "index.js": "1", "aa/evil.js": "2" });
    const text = evil.toString("latin1").replaceAll("aa/evil.js", "../evil.js");
    expect(await put(Buffer.from(text, "latin1"))).toBe("zip_path_unsafe");
    expect(await put(Buffer.from(evil.subarray(0, evil.length - 10)))).toBe("zip_invalid");
    expect(await put(Buffer.alloc(0))).toBe("code_missing");
    expect((await call("PUT", `${functions}/twice/code`, "text", { "content-type": "text/plain" })).json.code).toBe(
      "media_type_unsupported",
    );
  });

  it("speaks SmartWorks' functions API to the letter", async () => {
    const path = "/spaces/default/functions";
    const send = (method: string, rest: string, body?: unknown) =>
      platform.fetch(`${path}${rest}`, {
        method,
        ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
    const code = Buffer.from("def handle(req):\n  return 1\n").toString("base64");
    const made = await send("POST", "", {
      name: "sw",
      template: "python3-http",
      env: { A: "1" },
      options: { topics: "a/b" },
      source: { code },
    });
    expect(made.status).toBe(201);
    const shown = (await made.json()) as Json;
    expect(shown).toMatchObject({
      space: "default",
      name: "sw",
      template: "python3-http",
      env: { A: "1" },
      status: "Running",
      options: { topics: "a/b" },
    });
    expect(shown.id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(shown.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    expect(shown.metrics).toEqual({ invocations: 0, replicas: 0, available_replicas: 0 });
    expect(await (await send("GET", "/sw/code")).json()).toEqual({ code });
    const again = await send("POST", "", { name: "sw", source: { code } });
    expect([again.status, await again.json()]).toEqual([
      409,
      { error: { status: 409, message: "This function already exists" } },
    ]);
    expect(((await (await send("PUT", "/sw", { description: "new" })).json()) as Json).description).toBe("new");
    const list = (await (await send("GET", "?limit=1")).json()) as { data: unknown[]; paging: { next_cursor: string } };
    expect(list.data).toHaveLength(1);
    expect(
      ((await (await send("GET", `?limit=1&cursor=${list.paging.next_cursor}`)).json()) as Json).data,
    ).toHaveLength(1);
    expect((await send("POST", "", { name: "go", template: "go", source: { code } })).status).toBe(422);
    expect((await send("DELETE", "/sw")).status).toBe(204);
    const gone = await send("GET", "/sw");
    expect([gone.status, await gone.json()]).toEqual([404, { error: { status: 404, message: "function not found" } }]);
    const nobody = await platform.fetch(path, { key: null });
    expect([nobody.status, await nobody.json()]).toEqual([401, { error: { status: 401, message: "Unauthenticated" } }]);
    const stranger = await platform.fetch(path, { key: await platform.key(["function.read"], ["other"]) });
    expect([stranger.status, await stranger.json()]).toEqual([
      403,
      { error: { status: 403, message: "Unauthorized" } },
    ]);
  });

  it("gives a space's signing secret to its admin alone", async () => {
    expect((await call("GET", "/spaces/default/signing-secret")).json.secret).toMatch(/^whsec_/);
    const reader = await platform.key(["function", "invocation.read"]);
    expect((await call("GET", "/spaces/default/signing-secret", undefined, {}, reader)).status).toBe(403);
  });
});

function makeZip(files: Record<string, string>, modes: Record<string, number> = {}): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files))
    zip.addBuffer(Buffer.from(text), name, { mode: modes[name] ?? 0o100644 });
  zip.end();
  return buffer(zip.outputStream);
}
