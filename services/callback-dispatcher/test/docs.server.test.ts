import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { deriveSpaceSecret } from "@fnbus/signing";
import { until } from "@fnbus/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toOutcome } from "./outcome.ts";
import { MASTER, type Platform, putOutcomes, type Receiver, startPlatform, startReceiver } from "./platform.ts";

const page = readFileSync(new URL("../../../docs/callbacks.md", import.meta.url), "utf8");
const snippet = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)![1]!;
const secret = deriveSpaceSecret(MASTER, "default");

let platform: Platform;
let hook: Receiver;
let folder: string;
let dispatcher: Awaited<ReturnType<Platform["startDispatcher"]>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fnbus-docs-"));
  platform = await startPlatform();
  hook = await startReceiver();
  dispatcher = await platform.startDispatcher({ FNBUS_SIGNING_SECRET_PREVIOUS: "the master secret before it" });
  await putOutcomes(platform.bus, [toOutcome(hook.url)], Buffer.from([0, 200, 10, 255]));
  await until("it has arrived", () => hook.received.length === 1);
});
afterAll(async () => {
  await dispatcher.stop();
  await hook.stop();
  await platform.stop();
  rmSync(folder, { recursive: true });
});

const others = { "x-function-status": "500", "x-fnbus-state": "failed", "webhook-timestamp": "1700000000" };

describe("the page's lines", () => {
  it("in Node.js verify a real callback by either secret, and refuse a changed one", async () => {
    const file = join(folder, "verify.mjs");
    writeFileSync(file, snippet("js"));
    const { isGenuine } = await import(pathToFileURL(file).href);
    const { headers, body } = hook.received[0]!;
    expect(isGenuine(secret, headers, body)).toBe(true);
    expect(isGenuine(deriveSpaceSecret("the master secret before it", "default"), headers, body)).toBe(true);
    expect(isGenuine(deriveSpaceSecret("another", "default"), headers, body)).toBe(false);
    expect(isGenuine(secret, headers, Buffer.from("other"))).toBe(false);
    for (const [name, text] of Object.entries(others))
      expect(isGenuine(secret, { ...headers, [name]: text }, body)).toBe(false);
  });

  it("in Python do the same", () => {
    const { headers, body } = hook.received[0]!;
    const check = (withHeaders: object): string => {
      const file = join(folder, "verify.py");
      const given = JSON.stringify({ headers: withHeaders, body: body.toString("hex") });
      const call = `import json, sys\ngiven = json.loads(sys.argv[1])\nprint(is_genuine(sys.argv[2], given["headers"], bytes.fromhex(given["body"])))\n`;
      writeFileSync(file, snippet("python") + call);
      return execFileSync("python3", [file, given, secret], { encoding: "utf8" }).trim();
    };
    expect(check(headers)).toBe("True");
    for (const [name, text] of Object.entries(others)) expect(check({ ...headers, [name]: text })).toBe("False");
  });

  it("name every setting by the name that it has", async () => {
    const { Config } = await import("../src/config.ts");
    const named = new Set(page.match(/FNBUS_[A-Z_]+[A-Z]/g));
    for (const name of named) expect(Object.keys(Config.properties)).toContain(name);
  });
});
