import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorTable } from "@fnbus/contract";
import { expect, it } from "vitest";
import { errorsPage } from "./errors-page.ts";
import { subjectsPage } from "./subjects-page.ts";

const docs = join(import.meta.dirname, "../../docs");
const page = (name: string) => readFileSync(join(docs, name), "utf8");

it("docs/errors.md is the error table (npm run docs)", () => {
  expect(page("errors.md")).toBe(errorsPage());
});

it("docs/subjects.md is the contract's names (npm run docs)", () => {
  expect(page("subjects.md")).toBe(subjectsPage());
});

it("every error code has a section in docs/errors.md", () => {
  for (const code of Object.keys(errorTable)) expect(page("errors.md")).toContain(`| \`${code}\` |`);
  expect(page("errors.md")).not.toContain("## undefined");
});
