import { type AccessKey, createKeyText, type FnbusError, hashSecret, type Scope, toUlid } from "@fnbus/contract";
import { createRateLimiter } from "@fnbus/http";
import { checkAccess, toCaller } from "@fnbus/signing";
import { describe, expect, it } from "vitest";
import { fromClientId, toFields, toGrantedScopes, toTokenRequest } from "../src/core/oauth.ts";

const NOW = 1_000_000;
const { id, secret, text } = createKeyText();
const key = (over: Partial<AccessKey> = {}): AccessKey => ({
  ...{
    id,
    name: "k",
    kind: "key",
    secretHash: hashSecret(secret),
    scopes: ["function"] as Scope[],
    spaces: [],
    createdAt: 0,
  },
  ...over,
});
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as FnbusError).code;
  }
  return "nothing";
};

describe("a caller", () => {
  const find = (stored: AccessKey) => (asked: string) => (asked === stored.id ? stored : undefined);
  it("is whoever holds the key's secret", () => {
    expect(toCaller(`Bearer ${text}`, find(key()), NOW).id).toBe(id);
    expect(toCaller(`bearer  ${text} `, find(key()), NOW).id).toBe(id);
  });

  it.each<[string, AccessKey, string | undefined, string]>([
    ["nothing", key(), undefined, "unauthenticated"],
    ["another secret", key({ secretHash: hashSecret("other") }), `Bearer ${text}`, "unauthenticated"],
    ["an unknown key", key({ id: "other" }), `Bearer ${text}`, "unauthenticated"],
    ["a client's secret as a key", key({ kind: "client" }), `Bearer ${text}`, "unauthenticated"],
    ["an expired key", key({ expiresAt: NOW }), `Bearer ${text}`, "key_expired"],
    ["a revoked key", key({ revokedAt: 1 }), `Bearer ${text}`, "key_revoked"],
    ["a token whose client is gone", key({ kind: "token", client: "gone" }), `Bearer ${text}`, "key_revoked"],
  ])("with %s is refused", (_what, stored, authorization, code) => {
    expect(codeOf(() => toCaller(authorization, find(stored), NOW))).toBe(code);
  });

  it("may do what its scopes cover, in its spaces", () => {
    expect(codeOf(() => checkAccess(key(), "function.delete", "any"))).toBe("nothing");
    expect(codeOf(() => checkAccess(key(), "invocation.read", "any"))).toBe("scope_missing");
    expect(codeOf(() => checkAccess(key({ spaces: ["a"] }), "function.read", "b"))).toBe("space_forbidden");
    expect(codeOf(() => checkAccess(key({ spaces: ["a"], scopes: ["admin"] }), "admin", undefined))).toBe(
      "space_forbidden",
    );
  });
});

describe("OAuth2", () => {
  it("reads a client id back to the key's id", () => {
    expect(fromClientId(`app::${toUlid(id)}`)).toBe(id);
    for (const wrong of ["app::x", toUlid(id), `app::${"Z".repeat(26)}`]) expect(fromClientId(wrong)).toBeUndefined();
  });

  it("takes credentials from the form or from Basic, not from both", () => {
    const form = "grant_type=client_credentials&scope=function.read";
    const basic = `Basic ${Buffer.from("app%3A%3A1:s").toString("base64")}`;
    expect(toTokenRequest(`${form}&client_id=c&client_secret=s`, undefined)).toEqual({
      clientId: "c",
      clientSecret: "s",
      scope: "function.read",
    });
    expect(toTokenRequest(form, basic)).toMatchObject({ clientId: "app::1", clientSecret: "s" });
    expect(codeOf(() => toTokenRequest(`${form}&client_id=c&client_secret=s`, basic))).toBe("oauth_invalid_client");
    expect(codeOf(() => toTokenRequest("grant_type=password", basic))).toBe("oauth_invalid_grant");
    expect(codeOf(() => toFields("a=1&a=2"))).toBe("invalid_request");
  });

  it("grants no scope that the client lacks", () => {
    expect(toGrantedScopes(key(), undefined)).toEqual(["function"]);
    expect(toGrantedScopes(key(), "function.read  function.invoke")).toEqual(["function.read", "function.invoke"]);
    for (const scope of ["admin", "nonsense", "invocation.read"])
      expect(codeOf(() => toGrantedScopes(key(), scope))).toBe("oauth_invalid_scope");
  });
});

describe("a rate", () => {
  it("allows a burst of one second, then one request each time its share of a second has passed", () => {
    const limiter = createRateLimiter();
    const allowed = Array.from({ length: 15 }, () => limiter.take("k", 10, NOW).allowed);
    expect(allowed.filter(Boolean)).toHaveLength(10);
    expect(limiter.take("k", 10, NOW + 50).allowed).toBe(false);
    expect(limiter.take("k", 10, NOW + 101)).toMatchObject({ allowed: true, remaining: 0 });
    expect(limiter.take("other", 10, NOW)).toMatchObject({ allowed: true, remaining: 9 });
    expect(limiter.take("k", 10, NOW - 5000).allowed).toBe(false);
  });
});
