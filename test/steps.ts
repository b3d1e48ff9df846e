import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Tally } from "./tally.ts";

const repository = resolve(import.meta.dirname, "..");

async function exitCode(command: string, args: string[]): Promise<number> {
  const child = spawn(command, args, {
    cwd: repository,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, TESTCONTAINERS_RYUK_DISABLED: "true" },
  });
  const [code] = await once(child, "close");
  return code ?? 1;
}

/** A command counts as one. */
export async function runCommand(command: string, args: string[]): Promise<Tally> {
  const code = await exitCode(command, args);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Every test of a vitest project counts. One that could not even be loaded, or an error outside of all, is a failure. */
export async function runVitest(project: string): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), "fnbus-tests-"));
  const file = join(folder, "results.json");
  // Tests that take long are told one by one.
  const reporter = project === "unit" ? "default" : "verbose";
  try {
    const code = await exitCode(join(repository, "node_modules/.bin/vitest"), [
      ...["run", "--project", project, `--reporter=${reporter}`, "--reporter=json", `--outputFile.json=${file}`],
    ]);
    const results = JSON.parse(await readFile(file, "utf8")) as VitestResults;
    const unloaded = results.testResults.filter(
      ({ status, assertionResults }) => status === "failed" && !assertionResults.some((one) => one.status === "failed"),
    ).length;
    const failed = results.numFailedTests + unloaded;
    return { passed: results.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface VitestResults {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}
