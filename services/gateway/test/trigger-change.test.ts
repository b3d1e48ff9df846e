import { FnbusError, type Trigger } from "@fnbus/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toSmartworksChange, toSmartworksTrigger } from "../src/core/smartworks-trigger.ts";
import { changeTrigger } from "../src/core/trigger-change.ts";
import { toStatus } from "../src/core/trigger-status.ts";

const key = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n";
const certificate = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
const before: Trigger = {
  ...{ id: "01900000-0000-7000-8000-000000000001", incarnation: "i", space: "s", name: "n", description: "d" },
  ...{ enabled: true, createdAt: 1, updatedAt: 1, type: "mqtt" },
  config: { host: "broker", port: 8883, topics: "a", username: "u", password: "secret", tls: { certificate, key } },
};
const nothing = { reports: new Map(), heard: new Set<never>() };

describe("a change of a trigger", () => {
  it("sends no secret to another address than the one it was told for, whatever is changed and however", () => {
    const value = fc.constantFrom("broker", "thief", "thief:8883", "broker:8883", 8883, 1, "b", null, undefined);
    const config = fc.dictionary(fc.constantFrom("host", "port", "topics", "username"), value);
    const withTls = fc.tuple(config, fc.constantFrom({}, { tls: {} }, { tls: { certificate } }, { tls: null }));
    let moved = 0;
    fc.assert(
      fc.property(withTls, fc.boolean(), fc.boolean(), ([fields, tls], replace, isSmartworks) => {
        const change = { config: { topics: "t", ...fields, ...tls } };
        try {
          const now = changeTrigger(before, isSmartworks ? toSmartworksChange(before, change) : change, replace, 2);
          const { host, port, password, tls: left } = now.config as Record<string, never> & { tls?: { key?: string } };
          if (host === "broker" && port === 8883) return;
          moved++;
          expect([password, left?.key]).toEqual([undefined, undefined]);
        } catch (error) {
          expect(error).toBeInstanceOf(FnbusError);
        }
      }),
      { numRuns: 2000 },
    );
    // It can be moved by nobody who does not know the secrets, nor by taking one of the two away.
    expect(moved).toBe(0);
    const bare = changeTrigger(before, { config: { host: "other", password: null, tls: null } }, false, 2);
    expect(bare.config).toEqual({ host: "other", port: 8883, topics: "a", username: "u" });
  });

  it("a pause alone moves no beginning; a new schedule does", () => {
    expect(changeTrigger(before, { enabled: false }, false, 2)).toEqual({ ...before, enabled: false });
    expect(changeTrigger(before, { config: { topics: "b" } }, false, 2).updatedAt).toBe(2);
  });

  it("a config that is merged keeps what is not named, one that is set does not", () => {
    const merged = changeTrigger(before, { config: { qos: 1 } }, false, 2).config;
    expect(merged).toEqual({ ...before.config, qos: 1 });
    const set = changeTrigger(before, { config: { host: "broker", port: 8883, topics: "b" } }, true, 2);
    expect(set.config).toEqual({ host: "broker", port: 8883, topics: "b", password: "secret" });
    expect([set.description, set.enabled]).toEqual(["", true]);
  });
});

describe("SmartWorks' form of a trigger", () => {
  it("has no secret, and of the config only what SmartWorks has", () => {
    expect(toSmartworksTrigger(before, toStatus(before, nothing))).toMatchObject({
      config: { host: "broker", port: 8883, topics: "a", username: "u" },
      ...{ status: "Pending", error_message: "No service runs triggers of this type" },
    });
    expect(JSON.stringify(toSmartworksTrigger(before))).not.toMatch(/secret|PRIVATE/);
  });

  it("takes nothing away that SmartWorks does not know", () => {
    const now = changeTrigger(before, toSmartworksChange(before, { config: { topics: "b", password: "" } }), false, 2);
    expect(now.config).toEqual({ ...before.config, topics: "b" });
  });
});
