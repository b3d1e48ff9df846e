import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, createCaller, type Json } from "./caller.ts";
import { type Platform, startPlatform } from "./platform.ts";

describe("keys, clients and secrets", () => {
  let platform: Platform;
  let call: Caller;
  const functions = "/spaces/default/functions";

  beforeAll(async () => {
    platform = await startPlatform();
    call = createCaller(platform);
  });
  afterAll(() => platform.stop());

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

  const form = (fields: Record<string, string>, path = "token") =>
    platform.fetch(`/oauth2/${path}`, { method: "POST", key: null, body: new URLSearchParams(fields) });

  it("gives OAuth2 clients tokens, and takes them back", async () => {
    const client = (await call("POST", "/clients", { name: "c", scopes: ["function"] })).json;
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

  it("counts a client's requests for tokens by its rate", async () => {
    const made = (await call("POST", "/clients", { name: "slow", scopes: ["function"], rate: 1 })).json;
    const fields = {
      grant_type: "client_credentials",
      client_id: String(made.client_id),
      client_secret: String(made.client_secret),
    };
    await until("the client is known", async () => (await form(fields)).status !== 401);
    const answers = await Promise.all([1, 2, 3].map(() => form(fields)));
    expect(answers.map(({ status }) => status)).toContain(429);
  });

  it("gives a space's signing secret to its admin alone", async () => {
    expect((await call("GET", "/spaces/default/signing-secret")).json.secret).toMatch(/^whsec_/);
    const reader = await platform.key(["function", "invocation.read"]);
    expect((await call("GET", "/spaces/default/signing-secret", undefined, {}, reader)).status).toBe(403);
  });
});
