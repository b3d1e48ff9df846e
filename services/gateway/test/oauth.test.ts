import { type AccessKey, createKeyText, toUlid } from "@fnbus/contract";
import { codeOf } from "@fnbus/testing";
import { describe, expect, it } from "vitest";
import { fromClientId, toFields, toGrantedScopes, toTokenRequest } from "../src/core/oauth.ts";

const { id } = createKeyText();
const client: AccessKey = {
  ...{ id, name: "k", kind: "client", secretHash: "", scopes: ["function"], spaces: [], createdAt: 0 },
};
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
    expect(toGrantedScopes(client, undefined)).toEqual(["function"]);
    expect(toGrantedScopes(client, "function.read  function.invoke")).toEqual(["function.read", "function.invoke"]);
    for (const scope of ["admin", "nonsense", "invocation.read"])
      expect(codeOf(() => toGrantedScopes(client, scope))).toBe("oauth_invalid_scope");
  });
});
