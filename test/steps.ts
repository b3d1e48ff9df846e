import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
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
  if (code === 0) return { passed: 1, failed: 0, failures: [], retried: [] };
  return toFailed(`${command} ${args.join(" ")} (exit code ${code})`);
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
    const failures = results.testResults.flatMap(toFailures);
    const retried = results.testResults.flatMap((file) => tell(file, wasRetried));
    if (failures.length === 0 && code !== 0) failures.push(`${project}: an error outside of every test, see above`);
    return { passed: results.numPassedTests, failed: failures.length, failures, retried };
  } catch (error) {
    return toFailed(`${project}: no results (${String(error)})`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const toFailed = (failure: string): Tally => ({ passed: 0, failed: 1, failures: [failure], retried: [] });

const hasFailed = ({ status }: TestResults): boolean => status === "failed";
const wasRetried = ({ status, failureMessages }: TestResults): boolean =>
  status === "passed" && failureMessages.length > 0;

function toFailures(file: FileResults): string[] {
  const failed = tell(file, hasFailed);
  if (failed.length > 0 || file.status !== "failed") return failed;
  return [`${relative(repository, file.name)}: ${firstLines(file.message)}`];
}

const tell = ({ name, assertionResults }: FileResults, isMeant: (test: TestResults) => boolean): string[] =>
  assertionResults
    .filter(isMeant)
    .map((one) => `${relative(repository, name)}: ${one.fullName}\n  ${firstLines(one.failureMessages.join("\n"))}`);

/** Of a message and its stack, what is ours. */
const firstLines = (message: string): string =>
  message
    .split("\n")
    .filter((line) => !/^\s+at (?!.*test\/)/.test(line) && !line.includes("node_modules"))
    .slice(0, 8)
    .join("\n  ")
    .slice(0, 800);

interface VitestResults {
  numPassedTests: number;
  testResults: FileResults[];
}

interface FileResults {
  name: string;
  status: string;
  message: string;
  assertionResults: TestResults[];
}

interface TestResults {
  status: string;
  fullName: string;
  failureMessages: string[];
}
