import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repository, runPlanted } from "./planted.ts";

const breaks = "export const zone = process.env.TZ;\nif (zone === undefined) process.exit(3);\n";

const lint = async (file: string) => {
  const config = JSON.parse(await readFile(join(repository, "biome.json"), "utf8"));
  delete config.vcs;
  return runPlanted(
    {
      [file]: breaks,
      "biome.json": JSON.stringify(config),
      "test/rules/process-exit.grit": await readFile(join(repository, "test/rules/process-exit.grit"), "utf8"),
    },
    "biome",
    ["lint", file],
  );
};

it.each([
  ["services/gateway/src/out/calls.ts", true, true],
  ["libs/bus/src/connection.ts", true, true],
  ["services/gateway/src/config.ts", false, true],
  ["services/gateway/src/main.ts", false, false],
])("%s: process.env refused %s, process.exit refused %s", async (file, env, exit) => {
  const { output } = await lint(file);
  expect(output.includes("noProcessEnv")).toBe(env);
  expect(output.includes("process.exit belongs in main.ts")).toBe(exit);
});
