import { type AccessKey, createKeyText, hashSecret, type Scope } from "@fnbus/contract";
import { codeOf } from "@fnbus/testing";
import { describe, expect, it } from "vitest";
import { checkAccess, toCaller } from "../src/index.ts";

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
