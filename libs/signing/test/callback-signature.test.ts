import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { deriveSpaceSecret, signCallback, verifyCallback } from "../src/index.ts";

const now = 1_800_000_000;
const secret = deriveSpaceSecret("master", "default");
const facts = { id: "019a-id", functionName: "hello", callId: "call.1", status: 200, state: "succeeded" };
const body = Buffer.from('{"hello":"Ada"}');

/** Headers as they arrive at the receiver. */
const send = (secrets: string[], what = facts, bytes: Uint8Array = body): Map<string, string> =>
  new Map([
    ...Object.entries(signCallback(secrets, what, bytes, now)),
    ["x-function-name", what.functionName],
    ["x-function-status", String(what.status)],
    ["x-call-id", what.callId],
    ["x-fnbus-state", what.state],
  ]);
const check = (headers: Map<string, string>, secrets = [secret], bytes: Uint8Array = body, at = now) =>
  verifyCallback(secrets, (name) => headers.get(name), bytes, at);

describe("callback signatures", () => {
  it("are those of Standard Webhooks: its own library verifies them", () => {
    const at = Math.floor(Date.now() / 1000);
    const headers = signCallback([secret], facts, body, at);
    expect(new Webhook(secret).verify(body.toString(), headers)).toEqual({ hello: "Ada" });
    expect(() => new Webhook(secret).verify("{}", headers)).toThrow();
  });

  it("hold for any bytes, also such as are no text", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(check(send([secret], facts, bytes), [secret], bytes)).toEqual({ valid: true });
      }),
    );
  });

  it.each(["x-function-status", "x-fnbus-state", "x-function-name", "x-call-id", "webhook-id", "webhook-timestamp"])(
    "break when %s is changed on the way",
    (name) => {
      const headers = send([secret]);
      headers.set(
        name,
        name === "webhook-timestamp" ? String(now + 1) : name === "x-function-status" ? "500" : "other",
      );
      expect(check(headers)).toEqual({ valid: false, reason: "signature_wrong" });
    },
  );

  it("break when a field's bytes move into its neighbour", () => {
    const headers = send([secret], { ...facts, functionName: "ab", callId: "c" });
    headers.set("x-function-name", "a").set("x-call-id", "bc");
    expect(check(headers)).toEqual({ valid: false, reason: "signature_wrong" });
  });

  it("break when the body is changed", () => {
    expect(check(send([secret]), [secret], Buffer.from("{}"))).toEqual({ valid: false, reason: "signature_wrong" });
  });

  it("hold with either secret while two are in use, and with no third", () => {
    const old = deriveSpaceSecret("old master", "default");
    const headers = send([secret, old]);
    expect(check(headers, [secret])).toEqual({ valid: true });
    expect(check(headers, [old])).toEqual({ valid: true });
    expect(check(headers, [deriveSpaceSecret("master", "other")])).toEqual({ valid: false, reason: "signature_wrong" });
  });

  it("are refused outside five minutes, in both directions", () => {
    const headers = send([secret]);
    for (const at of [now + 301, now - 301])
      expect(check(headers, [secret], body, at)).toEqual({ valid: false, reason: "timestamp_outside" });
    for (const at of [now + 300, now - 300]) expect(check(headers, [secret], body, at)).toEqual({ valid: true });
  });

  it.each(["webhook-id", "webhook-timestamp", "webhook-signature", "x-fnbus-signature"])("need %s", (name) => {
    const headers = send([secret]);
    headers.delete(name);
    expect(check(headers)).toEqual({ valid: false, reason: "header_missing" });
  });

  it.each(["", "v1,", "v1", "v2,AAAA", " ", "v1,%%%", `${"v1,AAAA ".repeat(10_000)}`])(
    "a damaged signature (%#) is wrong, not an error",
    (text) => {
      const headers = send([secret]).set("webhook-signature", text);
      expect(check(headers).valid).toBe(false);
    },
  );

  it("a time stamp that is no number of seconds is refused", () => {
    for (const text of ["abc", "1e9", "-180000000", "1800000000000"])
      expect(check(send([secret]).set("webhook-timestamp", text))).toEqual({
        valid: false,
        reason: "timestamp_invalid",
      });
  });
});

describe("secrets of spaces", () => {
  it("are the same for the same master and space, and differ otherwise", () => {
    expect(deriveSpaceSecret("master", "default")).toBe(secret);
    expect(deriveSpaceSecret("master", "other")).not.toBe(secret);
    expect(deriveSpaceSecret("other", "default")).not.toBe(secret);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });

  it("a secret of another form is refused when it is used", () => {
    expect(() => signCallback(["secret"], facts, body, now)).toThrow(TypeError);
  });
});
