import { readFileSync } from "node:fs";
import { buckets, EXECUTOR_QUEUE, streams, subjects } from "@fnbus/contract";

const samples: Record<string, string> = {
  pool: "<pool>",
  space: "<space>",
  name: "<name>",
  executor: "<executor>",
  partition: "<p>",
};

/** A name as the contract makes it, its arguments shown as <placeholders>. */
function shown(value: unknown): string {
  if (typeof value !== "function") return String(value);
  const names = /^\(([^)]*)\)/.exec(String(value))?.[1]?.split(",") ?? [];
  return String(value(...names.map((name) => samples[name.trim()] ?? `<${name.trim()}>`)));
}

/** The comment that stands before each name in subjects.ts; a comment goes for the names that follow it without one. */
function comments(): Map<string, string> {
  const source = readFileSync(new URL("../../libs/contract/src/subjects.ts", import.meta.url), "utf8");
  const found = new Map<string, string>();
  let pending = "";
  let table = "";
  for (const line of source.split("\n")) {
    table = /^export const (\w+) = Object\.freeze/.exec(line)?.[1] ?? table;
    const comment = /^ {2}\/\*\* (.+) \*\/$/.exec(line)?.[1];
    const key = /^ {2}(\w+): /.exec(line)?.[1];
    if (comment) pending = comment;
    if (key) {
      found.set(`${table}.${key}`, pending);
      pending = "";
    }
  }
  return found;
}

/** docs/subjects.md, from the contract's names. */
export function subjectsPage(): string {
  const commentOf = comments();
  const table = (name: string, rows: Record<string, unknown>, heading: string) => [
    `| ${heading} | in code | what |`,
    "| --- | --- | --- |",
    ...Object.entries(rows).map(
      ([key, value]) => `| \`${shown(value)}\` | \`${name}.${key}\` | ${commentOf.get(`${name}.${key}`) ?? ""} |`,
    ),
  ];
  return `${[
    "<!-- Made by `npm run docs` from libs/contract/src/subjects.ts. -->",
    "# Subjects, streams and buckets",
    "",
    "Look up what travels where, for permissions, monitoring and `nats sub`. Code takes every name from `libs/contract`.",
    "",
    "## Subjects",
    "",
    ...table("subjects", subjects, "subject"),
    "",
    `Executors of a pool take synchronous calls as the queue group \`${EXECUTOR_QUEUE}\`.`,
    "",
    "## Streams",
    "",
    "All are limits retention, file storage; `discard: new` refuses when full, so that nothing accepted is ever evicted.",
    "",
    ...table("streams", streams, "stream"),
    "",
    "## Buckets",
    "",
    ...table("buckets", buckets, "bucket"),
  ].join("\n")}\n`;
}
