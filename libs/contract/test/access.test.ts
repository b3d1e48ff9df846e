import { describe, expect, it } from "vitest";
import { createKeyText, hashSecret, holdsScope, isId, parseKeyText, type Scope } from "../src/index.ts";

describe("a key's text", () => {
  it("is fnb_<id>_<secret>, and comes apart into what it was made of", () => {
    for (let at = 0; at < 200; at++) {
      const { id, secret, text } = createKeyText();
      expect(text).toBe(`fnb_${id}_${secret}`);
      expect(isId(id)).toBe(true);
      expect(parseKeyText(text)).toEqual({ id, secret });
    }
  });
  it("has a secret of 256 bits that is never the same", () => {
    const secrets = new Set(Array.from({ length: 1_000 }, () => createKeyText().secret));
    expect(secrets.size).toBe(1_000);
    for (const secret of secrets) expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  });
  const { text } = createKeyText();
  it.each([
    "",
    "fnb_",
    text.slice(0, -1),
    `${text}A`,
    `${text}\n`,
    ` ${text}`,
    text.toUpperCase(),
    text.replace("fnb_", "fnc_"),
    `${text.slice(0, -1)}=`,
  ])("is none of ours: %j", (wrong) => expect(parseKeyText(wrong)).toBe(undefined));
  it("is stored as the plain SHA-256 of its secret", () => {
    expect(hashSecret("secret")).toBe("2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b");
  });
});

describe("a scope", () => {
  it.each<[Scope[], Scope, boolean]>([
    [["admin"], "function.delete", true],
    [["admin"], "admin", true],
    [["function"], "function.invoke", true],
    [["function"], "function", true],
    [["function.read"], "function", false],
    [["function.read"], "function.update", false],
    [["function"], "admin", false],
    [["invocation.read"], "invocation.write", false],
    [["function"], "invocation.read", false],
    [[], "function.read", false],
  ])("%j covers %s: %s", (held, needed, covers) => expect(holdsScope(held, needed)).toBe(covers));
});
