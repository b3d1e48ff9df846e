import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

export const repository = resolve(import.meta.dirname, "../..");

/** Makes a throw-away tree of files, runs one of the repository's tools in it, and gives what it printed. */
export async function runPlanted(
  files: Record<string, string>,
  tool: string,
  args: string[],
): Promise<{ code: number; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "fnbus-planted-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return await new Promise((done) => {
      execFile(join(repository, "node_modules/.bin", tool), args, { cwd: folder }, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
