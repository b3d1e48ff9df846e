import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetchArchive } from "../src/servers/fetch-archive.ts";
import { fetchWithApt } from "../src/servers/fetch-with-apt.ts";
import { fetchWithGo } from "../src/servers/fetch-with-go.ts";
import { adviceFor, findServer } from "../src/servers/find-server.ts";
import type { FindContext } from "../src/servers/found.ts";
import { inCache } from "../src/servers/in-cache.ts";
import { natsRelease, releasePlatform } from "../src/servers/nats-release.ts";
import { onPath } from "../src/servers/on-path.ts";
import { extraFolders, findNewest, findProgram, foldersOf } from "../src/servers/programs.ts";
import { wantedNats, wantedRedis } from "../src/servers/wanted.ts";
import { bareContext } from "./bare-context.ts";

let folder: string;
let bare: FindContext;
const tools = [...foldersOf(process.env.PATH), "/usr/local/go/bin"];
const has = async (name: string) => (await findProgram(name, tools)) !== undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fnbus-find-"));
  bare = bareContext(join(folder, "cache"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that says a version, as a server does. */
function plant(name: string, says: string): string {
  const bin = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(bin, name), `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
  return bin;
}

describe("programs that are here", () => {
  test("the real servers of this machine are found with their versions", async () => {
    const searchFolders = [...foldersOf(process.env.PATH), ...extraFolders("/root")];
    for (const wanted of [wantedNats, wantedRedis])
      expect(await onPath.find(wanted, { ...bare, searchFolders })).toMatchObject({ how: "program", from: "PATH" });
  });
  test("of several the newest is taken", async () => {
    const folders = [plant("nats-server", "nats-server: v2.9.10"), plant("nats-server", "nats-server: v2.11.0")];
    expect(await findNewest(wantedNats, folders, "PATH")).toMatchObject({ version: "2.11.0" });
  });
  test("one that is too old is refused with both versions", async () => {
    expect(await findNewest(wantedNats, [plant("nats-server", "nats-server: v2.8.4")], "PATH")).toMatch(
      /2\.8\.4, and 2\.9\.10 is the oldest/,
    );
  });
  test("one that does not run is named", async () => {
    expect(await findNewest(wantedRedis, [plant("redis-server", "no version")], "PATH")).toMatch(/does not run/);
  });
  test("an old one is used rather than anything fetched unasked, a better one in our cache first", async () => {
    const searchFolders = [plant("nats-server", "nats-server: v2.9.10")];
    const context = { ...bare, searchFolders, toolFolders: tools };
    expect(await findServer(wantedNats, context)).toMatchObject({ version: "2.9.10" });
    mkdirSync(join(bare.cacheFolder, "bin"), { recursive: true });
    copyFileSync(
      join(plant("nats-server", "nats-server: v2.15.0"), "nats-server"),
      join(bare.cacheFolder, "bin", "nats-server"),
    );
    expect(await findServer(wantedNats, context)).toMatchObject({ version: "2.15.0", from: "our cache" });
  });
});

test("a bare machine gets one message: what was tried, why each failed, and the command for this platform", async () => {
  const failure = await findServer(wantedNats, { ...bare, offline: true }).catch((error: Error) => error.message);
  for (const part of [
    "programs on PATH",
    "our cache",
    "go install: FNBUS_OFFLINE",
    "apt-get download",
    "Docker engine",
  ])
    expect(failure).toContain(part);
  expect(failure).toContain(adviceFor(wantedNats, process.platform));
  expect(adviceFor(wantedNats, "darwin")).toContain("brew install nats-server");
  expect(adviceFor(wantedRedis, "linux")).toContain("apt-get install redis-server");
});

describe("the official release archive", () => {
  const name = `nats-server-v${natsRelease.version}-${releasePlatform(process.platform, process.arch)}`;
  const program = `#!/bin/sh\necho "nats-server: v${natsRelease.version}"\n`;

  async function serveArchive(): Promise<{ url: string; sha256: string; paths: string[]; close(): void }> {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "nats-server"), program);
    chmodSync(join(folder, name, "nats-server"), 0o755);
    execFileSync("tar", ["-czf", "archive.tar.gz", name], { cwd: folder });
    const bytes = readFileSync(join(folder, "archive.tar.gz"));
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url!);
      response.end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      paths,
      close: () => server.close(),
    };
  }

  test("is fetched, checked and kept in our cache", async () => {
    const served = await serveArchive();
    const context = { ...bare, toolFolders: tools, releaseUrl: served.url, releaseSha256: served.sha256 };
    const found = await fetchArchive.find(wantedNats, context);
    served.close();
    expect(found).toMatchObject({ how: "program", version: natsRelease.version });
    expect(served.paths).toEqual([`/v${natsRelease.version}/${name}.tar.gz`]);
    expect(await inCache.find(wantedNats, bare)).toMatchObject({ version: natsRelease.version, from: "our cache" });
  });
  test("of another content is not used", async () => {
    const served = await serveArchive();
    const context = { ...bare, toolFolders: tools, releaseUrl: served.url, releaseSha256: "0".repeat(64) };
    expect(await fetchArchive.find(wantedNats, context)).toMatch(/not the pinned one/);
    served.close();
    expect(await inCache.find(wantedNats, bare)).toMatch(/nothing usable/);
  });
  test("that cannot be had is a reason, not a crash", async () => {
    const context = { ...bare, toolFolders: tools, releaseSha256: "0".repeat(64) };
    expect(await fetchArchive.find(wantedNats, context)).toMatch(/^http:\/\/127\.0\.0\.1:1/);
  });
});

test.skipIf(!(await has("go")))(
  "go install builds the pinned server into our cache",
  async () => {
    const found = await fetchWithGo.find(wantedNats, { ...bare, toolFolders: tools });
    expect(found).toMatchObject({
      how: "program",
      version: natsRelease.version,
      command: join(bare.cacheFolder, "bin", "nats-server"),
    });
  },
  300_000,
);

test.skipIf(!(await has("apt-get")))(
  "apt-get download brings both servers without touching the system",
  async () => {
    const context = { ...bare, toolFolders: tools };
    for (const wanted of [wantedNats, wantedRedis]) {
      const found = await fetchWithApt.find(wanted, context);
      expect(found).toMatchObject({ how: "program", from: "apt-get download" });
      expect(found).toMatchObject({ command: expect.stringContaining(bare.cacheFolder) });
      expect(await inCache.find(wanted, bare)).toMatchObject({ how: "program" });
    }
  },
  240_000,
);
