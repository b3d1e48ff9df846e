import { type AccessKey, createKeyText, type FnbusError, hashSecret } from "@fnbus/contract";
import { describe, expect, it } from "vitest";
import { createCallers } from "../src/callers.ts";

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return "let in";
  } catch (error) {
    return (error as FnbusError).code;
  }
};

describe("a caller whose header was verified before", () => {
  const { id, secret, text } = createKeyText();
  const key: AccessKey = {
    ...{ id, name: "k", kind: "key", secretHash: hashSecret(secret), scopes: [], spaces: [], createdAt: 0 },
    expiresAt: 1_000,
  };
  const header = `Bearer ${text}`;
  const after = (change: (index: Map<string, AccessKey>) => void, nowMs = 0) => {
    const index = new Map([[id, key]]);
    const toCaller = createCallers((one) => index.get(one));
    expect(toCaller(header, 0)).toBe(key);
    change(index);
    return codeOf(() => toCaller(header, nowMs));
  };

  it("is let in again as long as the very key stands", () => {
    expect(after(() => {})).toBe("let in");
  });

  it.each<[string, (index: Map<string, AccessKey>) => void, string]>([
    ["is gone", (index) => index.delete(id), "unauthenticated"],
    ["was revoked", (index) => index.set(id, { ...key, revokedAt: 1 }), "key_revoked"],
    ["has another secret", (index) => index.set(id, { ...key, secretHash: hashSecret("new") }), "unauthenticated"],
  ])("is judged anew when the key %s", (_what, change, code) => {
    expect(after(change)).toBe(code);
  });

  it("is refused when the key's time is over", () => {
    expect(after(() => {}, 1_000)).toBe("key_expired");
  });

  it("a token is verified each time: its client may have gone", () => {
    const token: AccessKey = { ...key, kind: "token", client: "app::1" };
    const index = new Map([
      [id, token],
      ["app::1", { ...key, id: "app::1", kind: "client" } as AccessKey],
    ]);
    const toCaller = createCallers((one) => index.get(one));
    expect(toCaller(header, 0)).toBe(token);
    index.delete("app::1");
    expect(codeOf(() => toCaller(header, 0))).toBe("key_revoked");
  });

  it("a header that differs in one character is not the one that was verified", () => {
    const toCaller = createCallers(() => key);
    toCaller(header, 0);
    const other = `${header.slice(0, -1)}${header.endsWith("A") ? "B" : "A"}`;
    expect(codeOf(() => toCaller(other, 0))).toBe("unauthenticated");
    expect(codeOf(() => toCaller(undefined, 0))).toBe("unauthenticated");
  });
});
