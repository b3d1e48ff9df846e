import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDataFolder } from "../src/data/folder.ts";
import { planNats } from "../src/processes/server-specs.ts";
import type { FoundServer } from "../src/servers/found.ts";

test("NATS runs with room for its garbage, with whatever GOGC its user set, and with nothing else of our environment", async () => {
  const data = openDataFolder(mkdtempSync(join(tmpdir(), "fnbus-specs-")));
  const found: FoundServer = { how: "program", command: "/bin/true", version: "2.15.2", env: {}, from: "PATH" };
  const environmentOf = async (variables: Record<string, string>) =>
    (await planNats(data, found, [], variables)).spec.env;
  try {
    expect(await environmentOf({ PATH: "/bin", AWS_SECRET: "hidden" })).toEqual({ PATH: "/bin", GOGC: "200" });
    expect(await environmentOf({ PATH: "/bin", GOGC: "50" })).toEqual({ PATH: "/bin", GOGC: "50" });
  } finally {
    data.release();
    rmSync(data.path, { recursive: true, force: true });
  }
});
