import { subjects } from "@fnbus/contract";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, createCaller } from "./caller.ts";
import { type Platform, startPlatform } from "./platform.ts";
import { makeZip } from "./zip.ts";

describe("functions in the management API", () => {
  let platform: Platform;
  let call: Caller;
  const functions = "/spaces/default/functions";
  const inline = (text = "exports.handler = async () => 1;") => ({ files: { "index.js": text } });
  const codeObjects = async () => (await (await platform.bus.objects("CODE")).list()).length;

  beforeAll(async () => {
    platform = await startPlatform();
    call = createCaller(platform);
  });
  afterAll(() => platform.stop());

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
    ["a path that is a folder", { name: "x", source: { files: { "a/": "" } } }, "zip_path_unsafe", 422],
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
});
