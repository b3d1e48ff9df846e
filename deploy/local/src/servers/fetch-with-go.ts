import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { FindStep } from "./found.ts";
import { natsRelease } from "./nats-release.ts";
import { findNewest, findProgram } from "./programs.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 5 * 60_000;

/** `go install` into our cache. The module's content is checked by Go's own checksum database. */
export const fetchWithGo: FindStep = {
  name: "go install",
  async find(wanted, context) {
    if (wanted.kind !== "nats") return "not a Go program";
    if (context.offline) return "FNBUS_OFFLINE is set";
    const go = await findProgram("go", context.toolFolders);
    if (!go) return "no Go tool chain on PATH";
    const bin = join(context.cacheFolder, "bin");
    await mkdir(bin, { recursive: true });
    const work = await mkdtemp(join(context.cacheFolder, "go-"));
    context.progress(
      `${wanted.title}: none found, building ${natsRelease.version} with ${go} (once, about half a minute)`,
    );
    try {
      await run(go, ["install", `github.com/nats-io/nats-server/v2@v${natsRelease.version}`], {
        timeout: TIMEOUT_MS,
        env: { ...context.env, GOBIN: work },
      });
      await rename(join(work, "nats-server"), join(bin, "nats-server"));
    } catch (error) {
      return `go install failed: ${lastLine(error)}`;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return findNewest(wanted, [bin], "go install");
  },
};

/** The last line that a failed command wrote, which is where tools say what is wrong. */
export function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  return (stderr?.trim() || message || String(error)).split("\n").at(-1)!;
}
