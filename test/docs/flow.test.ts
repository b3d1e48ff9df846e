import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorTable, isErrorCode } from "@fnbus/contract";
import { expect, it } from "vitest";

const docs = join(import.meta.dirname, "../../docs");
const flow = readFileSync(join(docs, "flow.md"), "utf8");

/** Codes that belong to no step of an invocation: they answer management requests. */
const management =
  /^(oauth_|space_|function_exists|key_not_found|revision_|invalid_json|invalid_request|runtime_|handler_|source_|code_missing|zip_|limit_|invocation_ended|media_type_|internal)/;

it("docs/flow.md names only codes of the error table", () => {
  const tables = flow.split("\n").filter((line) => line.startsWith("|"));
  const named = tables.flatMap((line) => [...line.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map((match) => match[1]!));
  expect(named.filter((code) => !isErrorCode(code))).toEqual([]);
});

it("docs/flow.md places every code that an invocation can meet", () => {
  const missing = Object.keys(errorTable).filter((code) => !management.test(code) && !flow.includes(`\`${code}\``));
  expect(missing).toEqual([]);
});

it("every link between pages leads to a file", () => {
  const broken = globSync("{*.md,docs/**/*.md}", { cwd: join(docs, "..") }).flatMap((page) => {
    const text = readFileSync(join(docs, "..", page), "utf8");
    const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1]!);
    return links
      .filter((link) => globSync(join(docs, "..", page, "..", link)).length === 0)
      .map((link) => `${page}: ${link}`);
  });
  expect(broken).toEqual([]);
});
