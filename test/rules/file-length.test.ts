import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repository } from "./planted.ts";

const LONGEST = 300;
const MEDIAN = 120;

const lengths = globSync("{libs,services,deploy,test}/**/*.ts", {
  cwd: repository,
  exclude: (name) => name.includes("node_modules"),
}).map((file) => ({ file, lines: readFileSync(join(repository, file), "utf8").split("\n").length - 1 }));

it("no source file is over 300 lines", () => {
  expect(lengths.filter(({ lines }) => lines > LONGEST)).toEqual([]);
});

it("half of the source files are under 120 lines", () => {
  const sorted = lengths.map(({ lines }) => lines).sort((one, other) => one - other);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(MEDIAN);
});
