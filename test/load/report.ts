import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { findBinary } from "@fnbus/testing";

/** One measured figure, what it is held against in the same run, and what is to be reached. */
export interface Measure {
  name: string;
  ours: number;
  unit: string;
  baseline?: { name: string; value: number };
  wanted?: { ratio?: number; above?: number; below?: number };
  details?: Record<string, number>;
}

export const ratioOf = ({ ours, baseline }: Measure): number | undefined =>
  baseline ? ours / baseline.value : undefined;

/** A rate of which some calls were refused reaches nothing. */
export function isReached(measure: Measure): boolean | undefined {
  const { ours, wanted, details } = measure;
  if (!wanted) return undefined;
  if (details?.bad || details?.baselineBad) return false;
  const ratio = ratioOf(measure);
  return (
    (wanted.ratio === undefined || (ratio !== undefined && ratio >= wanted.ratio)) &&
    (wanted.above === undefined || ours >= wanted.above) &&
    (wanted.below === undefined || ours < wanted.below)
  );
}

const versionOf = (command: string, pattern: RegExp): string =>
  pattern.exec(execFileSync(findBinary(command), ["--version"], { encoding: "utf8" }))?.[1] ?? "unknown";

/** What the numbers were measured on. */
export const machine = () => ({
  at: new Date().toISOString(),
  processor: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
  natsServer: versionOf("nats-server", /v(\d\S*)/),
  redisServer: versionOf("redis-server", /v=(\S+)/),
});

const toWanted = ({ wanted }: Measure): string =>
  !wanted
    ? ""
    : [
        wanted.ratio === undefined ? "" : `≥ ${wanted.ratio} ×`,
        wanted.above === undefined ? "" : `≥ ${wanted.above}`,
        wanted.below === undefined ? "" : `< ${wanted.below}`,
      ]
        .filter(Boolean)
        .join(", ");

/** A Markdown table that reads as plain text too. */
export function toTable(measures: readonly Measure[]): string {
  const rows = measures.map((measure) => {
    const ratio = ratioOf(measure);
    const reached = isReached(measure);
    return [
      measure.name,
      `${measure.ours.toLocaleString("en")} ${measure.unit}`,
      measure.baseline ? `${measure.baseline.value.toLocaleString("en")} (${measure.baseline.name})` : "",
      ratio === undefined ? "" : ratio.toFixed(2),
      toWanted(measure),
      reached === undefined ? "" : reached ? "yes" : "NO",
      Object.entries(measure.details ?? {})
        .map(([name, value]) => `${name} ${value}`)
        .join(", "),
    ];
  });
  const all = [["measured", "ours", "baseline, same run", "ratio", "to reach", "reached", "details"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const toLine = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [toLine(all[0]!), toLine(widths.map((width) => "-".repeat(width))), ...rows.map(toLine)].join("\n");
}

/** Writes the run as JSON below test/results and gives the file's name. */
export function writeResults(measures: readonly Measure[]): string {
  const folder = join(import.meta.dirname, "../results");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `bench-${new Date().toISOString().replaceAll(":", "-").slice(0, 19)}.json`);
  writeFileSync(file, `${JSON.stringify({ machine: machine(), measures }, null, 2)}\n`);
  return file;
}
