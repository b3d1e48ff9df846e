/** Whether a file parses, as `node --check` judges it. An error on import has no line when it is a syntax error; this has. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const CHECK_MS = 5_000;

/** { file, line, text } where the file does not parse; undefined where it does. */
export function findSyntaxFault(path) {
  const { status, stderr } = spawnSync(process.execPath, ["--check", path], { encoding: "utf8", timeout: CHECK_MS });
  if (status === 0 || status === null) return undefined;
  const line = Number(/:(\d+)$/m.exec(stderr.split("\n")[0])?.[1] ?? 0);
  return { line, text: readFileSync(path, "utf8").split("\n")[line - 1]?.trim().slice(0, 512) ?? "" };
}
