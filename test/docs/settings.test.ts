import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withSettings } from "./settings-section.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");

it("docs/operations.md has every setting with its default, as the services read it (npm run docs)", () => {
  expect(page).toBe(withSettings(page));
});

it("every setting says what it sets", () => {
  expect(page).not.toMatch(/^\| `[A-Z_]+` .*\| *\|$/m);
  expect(page).not.toContain("undefined");
});
