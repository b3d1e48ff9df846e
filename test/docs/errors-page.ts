import { readFileSync } from "node:fs";
import { type ErrorRow, errorTable } from "@fnbus/contract";

const retries = { no: "no", later: "later", "same-key": "yes, with the same key" } as const;

/** The sections are the comments of the table's files, so that a row has one home. */
function sections(): Map<string, string> {
  const files = ["error-table.ts", "error-table-runs.ts", "error-table-triggers.ts"];
  const source = files.map((name) => readFileSync(new URL(`../../libs/contract/src/${name}`, import.meta.url), "utf8"));
  const sectionOf = new Map<string, string>();
  let section = "";
  for (const line of source.join("\n").split("\n")) {
    section = /^ {2}\/\/ (.+)$/.exec(line)?.[1] ?? section;
    const code = /^ {2}([a-z_]+): (?:caller|later|user|row)\(/.exec(line)?.[1];
    if (code) sectionOf.set(code, section);
  }
  return sectionOf;
}

/** docs/errors.md, from the error table. */
export function errorsPage(): string {
  const sectionOf = sections();
  const lines = [
    "<!-- Made by `npm run docs` from libs/contract/src/error-table.ts. -->",
    "# Errors",
    "",
    "Find the code that an answer shows (`code` of a problem document, or the `X-Fnbus-Error` header) and what to do about it.",
    "",
    "**Side** says whose error it is: the *caller*'s request, the *platform*, or the *function*'s own code. On the routes that",
    "run functions, `X-Fnbus-Error-Side` carries it, so that a 500 of a function is never taken for one of the platform.",
    "**Again** says whether repeating may help; `Retry-After` says when.",
  ];
  let section: string | undefined;
  for (const [code, row] of Object.entries<ErrorRow>(errorTable)) {
    if (sectionOf.get(code) !== section) {
      section = sectionOf.get(code);
      lines.push("", `## ${section}`, "", "| code | status | side | again | what happened | what to do |");
      lines.push("| --- | --- | --- | --- | --- | --- |");
    }
    lines.push(
      `| \`${code}\` | ${row.status} | ${row.side} | ${retries[row.retry]} | ${row.title.replaceAll("|", "\\|")} | ${row.fix.replaceAll("|", "\\|")} |`,
    );
  }
  return `${lines.join("\n")}\n`;
}
