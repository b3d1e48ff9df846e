// A registry mirror may lack the builds of optional packages for other platforms; npm then leaves them out of the lock
// file, and `npm ci` refuses it elsewhere. This adds them: run it after every `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

const file = process.argv[2] ?? "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8"));
const { packages } = lock;
const systems = ["darwin", "win32", "android", "freebsd", "openharmony", "linux", "sunos", "aix"];
const processors = ["arm64", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "arm"];

/** Where Node would find `name` from the package at `from`, or undefined. */
function find(from, name) {
  for (let path = from; ; path = path.slice(0, Math.max(0, path.lastIndexOf("node_modules/") - 1))) {
    const at = `${path ? `${path}/` : ""}node_modules/${name}`;
    if (packages[at]) return at;
    if (!path) return undefined;
  }
}

const added = [];
for (const [from, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (find(from, name)) continue;
    const words = name.toLowerCase().replace("windows", "win32").replace("aarch64", "arm64").split(/[-/]/);
    const os = systems.find((system) =>
      words.some((word) => word === system || (system === "linux" && /^linux/.test(word))),
    );
    const cpu = processors.find((processor) => words.includes(processor)) ?? (words.includes("64") ? "x64" : undefined);
    if (!/^\d/.test(version) || !os || !cpu) {
      process.stderr.write(`left out: ${name}@${version} of ${from}\n`);
      continue;
    }
    const libc = words.includes("musl") ? ["musl"] : os === "linux" && words.includes("gnu") ? ["glibc"] : undefined;
    packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(entry.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      optional: true,
      os: [os],
    };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([one], [other]) => (one < other ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`added ${added.length} ${added.join(" ")}\n`);
