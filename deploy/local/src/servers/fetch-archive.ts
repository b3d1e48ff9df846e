import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { lastLine } from "./fetch-with-go.ts";
import type { FindStep } from "./found.ts";
import { natsRelease, releasePlatform } from "./nats-release.ts";
import { findNewest, findProgram } from "./programs.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;
/** The archives are about 6 MB. What is far larger is not one of them. */
const LARGEST_BYTES = 64 * 1024 * 1024;

/** The official release archive, of a pinned version and SHA-256, into our cache. */
export const fetchArchive: FindStep = {
  name: "official release archive",
  async find(wanted, context) {
    if (wanted.kind !== "nats") return "there are no portable archives of Redis";
    if (context.offline) return "FNBUS_OFFLINE is set";
    const platform = releasePlatform(process.platform, process.arch);
    if (!context.releaseSha256) return `no archive is pinned for ${platform}`;
    const tar = await findProgram("tar", context.toolFolders);
    if (!tar) return "no tar on PATH";
    const name = `nats-server-v${natsRelease.version}-${platform}`;
    const url = `${context.releaseUrl}/v${natsRelease.version}/${name}.tar.gz`;
    context.progress(`${wanted.title}: none found, fetching ${url} (once)`);
    const bin = join(context.cacheFolder, "bin");
    await mkdir(bin, { recursive: true });
    const work = await mkdtemp(join(context.cacheFolder, "archive-"));
    try {
      const bytes = await download(url);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      if (sha256 !== context.releaseSha256) return `${url} has SHA-256 ${sha256}, not the pinned one: not used`;
      await writeFile(join(work, "archive.tar.gz"), bytes);
      await run(tar, ["-xzf", "archive.tar.gz", `${name}/nats-server`], { cwd: work, timeout: TIMEOUT_MS });
      const program = join(work, name, "nats-server");
      await chmod(program, 0o755);
      await rename(program, join(bin, "nats-server"));
    } catch (error) {
      return `${url}: ${lastLine(error)}`;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return findNewest(wanted, [bin], "official release archive");
  },
};

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body!) {
    bytes += chunk.length;
    if (bytes > LARGEST_BYTES) throw new Error(`over ${LARGEST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
