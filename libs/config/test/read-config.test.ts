import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Type from "typebox";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../src/index.ts";

const SECRET = "hunter2-never-shown";
const schema = Type.Object({
  URL: Type.String({ default: "nats://localhost", description: "where" }),
  PORT: Type.Integer({ default: 80, minimum: 1, maximum: 65_535, description: "port to listen on" }),
  RATIO: Type.Number({ default: 0.5, minimum: 0, maximum: 1 }),
  DEBUG: Type.Boolean({ default: false }),
  PASSWORD: Type.String({ default: "", maxLength: 64, secret: true }),
  PIN: Type.Integer({ default: 0, secret: true }),
});
const required = Type.Object({ NAME: Type.String({ description: "who" }), COUNT: Type.Integer() });

const folder = mkdtempSync(join(tmpdir(), "fnbus-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const faultsOf = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe("a configuration that is right", () => {
  it("has its defaults, and values of their types", () => {
    expect(readConfig(schema, {})).toEqual({
      URL: "nats://localhost",
      PORT: 80,
      RATIO: 0.5,
      DEBUG: false,
      PASSWORD: "",
      PIN: 0,
    });
    const given = { URL: "nats://a,nats://b", PORT: "8080", RATIO: "0.25", DEBUG: "yes", PIN: "12" };
    expect(readConfig(schema, given)).toMatchObject({ ...given, PORT: 8080, RATIO: 0.25, DEBUG: true, PIN: 12 });
  });
  it("takes an empty variable as one that is not set, and knows nothing of others", () => {
    expect(readConfig(schema, { PORT: "", OTHER: "1" })).toEqual(readConfig(schema, {}));
  });
  it("is frozen, and does not change its schema's defaults", () => {
    const config = readConfig(schema, {}) as { PORT: number };
    expect(() => {
      config.PORT = 1;
    }).toThrow(TypeError);
    expect(readConfig(schema, { PORT: "9" }).PORT).toBe(9);
    expect(readConfig(schema, {}).PORT).toBe(80);
  });
  it("reads a value from the file that NAME_FILE names, less its last line end", () => {
    const read = (text: string) => readConfig(schema, { PASSWORD_FILE: file("password", text) }).PASSWORD;
    expect(read("a secret\n")).toBe("a secret");
    expect(read("a secret\r\n")).toBe("a secret");
    expect(read(" two\nlines \n\n")).toBe(" two\nlines \n");
    expect(readConfig(schema, { PORT_FILE: file("port", "81\n") }).PORT).toBe(81);
  });
});

describe("a configuration with faults", () => {
  it("names all of them at once: variable, what was found, what is expected", () => {
    const faults = faultsOf(() => readConfig(schema, { PORT: "70000", RATIO: "much", DEBUG: "maybe" }));
    expect(faults).toHaveLength(3);
    expect(faults.join("\n")).toMatch(/PORT: found 70000.*integer, 1\.\.65535 \(port to listen on\)/);
    expect(faults.join("\n")).toMatch(/RATIO: found "much".*number, 0\.\.1/);
    expect(faults.join("\n")).toMatch(/DEBUG: found "maybe".*boolean/);
  });
  it("names every variable that is missing", () => {
    expect(faultsOf(() => readConfig(required, {}))).toEqual([
      "NAME: not set. Expected: string (who).",
      "COUNT: not set. Expected: integer.",
    ]);
  });
  it.each(["1.5", "0x10zz", " ", "1e", "NaN", "12px"])("takes %j for no integer", (text) => {
    expect(faultsOf(() => readConfig(schema, { PORT: text }))).toHaveLength(1);
  });
  it("names a file that cannot be read, and a variable that is set twice", () => {
    const faults = faultsOf(() =>
      readConfig(schema, { URL_FILE: join(folder, "none"), PASSWORD: SECRET, PASSWORD_FILE: file("twice", SECRET) }),
    );
    expect(faults).toEqual([
      "URL: URL_FILE cannot be read (ENOENT)",
      "PASSWORD: set, and PASSWORD_FILE too: set one of them",
    ]);
  });
  it("never shows a secret, from a variable or from a file, right or wrong", () => {
    const long = `${SECRET}-${"x".repeat(64)}`;
    const cases = [
      { PASSWORD: long, PORT: "0" },
      { PASSWORD_FILE: file("long", long) },
      { PIN: SECRET, PASSWORD: SECRET },
      { PIN_FILE: file("pin", `${SECRET}\n`) },
    ];
    for (const variables of cases) {
      const faults = faultsOf(() => readConfig(schema, variables));
      expect(faults.length).toBeGreaterThan(0);
      expect(faults.join("\n")).not.toContain(SECRET);
    }
  });
});
