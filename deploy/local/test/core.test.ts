import { describe, expect, test } from "vitest";
import { restartDelayMs } from "../src/core/back-off.ts";
import { readLogLine } from "../src/core/log-line.ts";
import { canSyncAlways, toNatsConfig } from "../src/core/nats-config.ts";
import { toRedisConfig } from "../src/core/redis-config.ts";
import { passedOn, readOnly, serviceNames, serviceVariables } from "../src/core/services.ts";
import { toSummary } from "../src/core/summary.ts";
import { isAtLeast, readVersion } from "../src/core/versions.ts";

describe("versions", () => {
  test.each([
    ["nats-server: v2.15.2", "2.15.2"],
    ["Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0", "7.0.15"],
    ["Valkey server v=8.1.4 sha=0", "8.1.4"],
    ["not a version", undefined],
  ])("%s", (text, version) => expect(readVersion(text)).toBe(version));
  test("compare by number, not by text", () => {
    expect(isAtLeast("2.10.0", "2.9.10")).toBe(true);
    expect(isAtLeast("2.9.10", "2.10.0")).toBe(false);
    expect(isAtLeast("2.10.0", "2.10.0")).toBe(true);
  });
});

describe("the servers' configuration", () => {
  const facts = {
    serverName: "n",
    host: "127.0.0.1",
    port: 1,
    storeFolder: "/s",
    users: [{ user: "u", password: "p", permissions: { publish: ["a.>"], subscribe: ["b"] } }],
  };
  test("I1: NATS fsyncs before it acknowledges wherever it can", () => {
    expect(JSON.parse(toNatsConfig({ ...facts, version: "2.10.0" })).jetstream.sync_interval).toBe("always");
    expect(canSyncAlways("2.15.2")).toBe(true);
  });
  test("NATS 2.9 is not given the field that would stop it", () => {
    expect(JSON.parse(toNatsConfig({ ...facts, version: "2.9.10" })).jetstream).not.toHaveProperty("sync_interval");
  });
  test("a user's permissions are written as the server reads them", () => {
    expect(JSON.parse(toNatsConfig({ ...facts, version: "2.15.0" })).authorization.users).toEqual([
      { user: "u", password: "p", permissions: { publish: { allow: ["a.>"] }, subscribe: { allow: ["b"] } } },
    ]);
  });
  test("I5: Redis writes every change to disk and evicts nothing", () => {
    const text = toRedisConfig({ host: "127.0.0.1", port: 1, folder: "/f", password: "p" });
    for (const line of ["appendonly yes", "appendfsync always", "maxmemory-policy noeviction", "requirepass p"])
      expect(text).toContain(`${line}\n`);
  });
});

describe("what is told to services", () => {
  const facts = {
    ...{
      host: "127.0.0.1",
      port: 8080,
      ingestPort: 8,
      opsPort: 9,
      dataFolder: "/d",
      natsUrl: "nats://n",
      natsUser: "u",
    },
    ...{ natsPassword: "p", redisUrl: "redis://:secret@r", signingSecretFile: "/s", logLevel: "info" },
  };
  test("I10: the executor hears nothing of Redis and of the signing secret", () => {
    const variables = serviceVariables("executor", facts);
    expect(JSON.stringify(variables)).not.toContain("secret@r");
    expect(variables).not.toHaveProperty("FNBUS_SIGNING_SECRET_FILE");
  });
  test("settings of services pass through, secrets of the platform do not", () => {
    const given = { FNBUS_SYNC_TIMEOUT_MS: "9", FNBUS_API_KEY: "k", FNBUS_SIGNING_SECRET: "s", AWS_SECRET: "a" };
    expect(passedOn(given)).toEqual({ FNBUS_SYNC_TIMEOUT_MS: "9" });
  });
  test("--only takes names of services and nothing else", () => {
    expect(readOnly(undefined)).toEqual(serviceNames);
    expect(readOnly("executor, gateway")).toEqual(["gateway", "executor"]);
    expect(() => readOnly("gatway")).toThrow(/no such service: gatway. There are: gateway/);
  });
});

test("restarts come ever later, up to ten seconds", () => {
  expect([1, 2, 3, 10].map(restartDelayMs)).toEqual([250, 500, 1000, 10_000]);
});

describe("log lines", () => {
  test("a service's JSON line is told in words, with its facts", () => {
    const line = JSON.stringify({
      level: 40,
      time: 0,
      service: "ledger",
      msg: "late",
      byMs: 7,
      err: { message: "no" },
    });
    expect(readLogLine(line, false)).toEqual({ text: "00:00:00 warn late byMs=7 err=no", important: true });
  });
  test("the servers' own formats lose their prefixes", () => {
    expect(readLogLine("[1] 2026/11/21 10:47:54.1 [INF] Server is ready", false).text).toBe("10:47:54 Server is ready");
    expect(readLogLine("15:M 21 Nov 2026 10:47:55.123 * Ready to accept", false).text).toBe("10:47:55 Ready to accept");
  });
  test("anything else is passed on", () => {
    expect(readLogLine("{ broken", false).text).toBe("{ broken");
  });
});

test("the summary is under ten lines, also with both servers degraded, and ends with a line to paste", () => {
  const lines = toSummary({
    ...{ url: "http://127.0.0.1:8080", seconds: 1, nats: "2.9.10 from PATH", redis: "7.0.15 from PATH" },
    ...{ degraded: ["a", "b"], services: serviceNames, dataFolder: "/d", keyFile: "/d/admin-key" },
    eventsUrl: "http://127.0.0.1:8081",
  });
  expect(lines.length).toBeLessThan(10);
  expect(lines.at(-1)).toContain("curl http://127.0.0.1:8080/v1/whoami");
});
