#!/usr/bin/env node
// Plain JavaScript: a machine may have an old Node, which could not read the rest. The project brings its own.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(main);
} else {
  const node = join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node");
  const { status, error } = spawnSync(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  if (error) console.error(`fnbus needs Node 24, and the project's own does not start: ${error.message}`);
  process.exitCode = status ?? 3;
}
