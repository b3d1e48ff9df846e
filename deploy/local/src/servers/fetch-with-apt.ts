import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { libraryFolders } from "./debian-files.ts";
import { lastLine } from "./fetch-with-go.ts";
import type { FindStep } from "./found.ts";
import { findNewest, findProgram } from "./programs.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;

/**
 * Debian and Ubuntu: `apt-get download` and `dpkg-deb -x` into our cache. Needs no root and leaves the system alone; the
 * package lists are our own too, because a fresh machine has none.
 */
export const fetchWithApt: FindStep = {
  name: "apt-get download",
  async find(wanted, context) {
    if (context.offline) return "FNBUS_OFFLINE is set";
    const apt = await findProgram("apt-get", context.toolFolders);
    const dpkg = await findProgram("dpkg-deb", context.toolFolders);
    if (!apt || !dpkg) return "no apt-get and dpkg-deb on PATH";
    context.progress(`${wanted.title}: none found, fetching Debian's package (once, nothing is installed)`);
    const lists = join(context.cacheFolder, "debian", "lists");
    await mkdir(join(lists, "partial"), { recursive: true });
    const work = await mkdtemp(join(context.cacheFolder, "debian", "new-"));
    const settings = [
      ["-o", `Dir::State::lists=${lists}`],
      // Both of apt's caches of the lists, which it would otherwise write beside the system's own.
      ["-o", "Dir::Cache::pkgcache="],
      ["-o", "Dir::Cache::srcpkgcache="],
      // As root apt would drop to a user that cannot write here.
      ["-o", "APT::Sandbox::User="],
    ].flat();
    const options = { cwd: work, timeout: TIMEOUT_MS, env: { ...context.env, LC_ALL: "C" } };
    const root = join(context.cacheFolder, "debian", wanted.kind);
    try {
      await run(apt, [...settings, "update"], options);
      await run(apt, [...settings, "download", ...wanted.debian.packages], options);
      for (const library of wanted.debian.libraries) {
        // A library under another name or inside libc is no fault here: --version will tell.
        await run(apt, [...settings, "download", library], options).catch(() => {});
      }
      for (const file of (await readdir(work)).filter((name) => name.endsWith(".deb"))) {
        await run(dpkg, ["-x", file, "root"], options);
      }
      await rm(root, { recursive: true, force: true });
      await rename(join(work, "root"), root);
    } catch (error) {
      return `apt-get download failed: ${lastLine(error)}`;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    const folders = [join(root, "usr", "bin"), join(root, "usr", "sbin")];
    return findNewest(wanted, folders, "apt-get download", await libraryFolders(root));
  },
};
