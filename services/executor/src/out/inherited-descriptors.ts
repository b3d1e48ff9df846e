import { readdirSync, readFileSync } from "node:fs";

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Descriptors that whoever started us left open, and that every program we start would inherit, user code too (I10).
 * Node.js marks its own as close-on-exec, and cannot mark these: the spawner gets /dev/null in their place.
 */
export function toSpawnerStdio(nothing: number): ("ignore" | "inherit" | "ipc" | number)[] {
  const stdio: ReturnType<typeof toSpawnerStdio> = ["ignore", "inherit", "inherit", "ipc"];
  for (const name of readdirSync("/proc/self/fdinfo")) {
    const descriptor = Number(name);
    if (descriptor <= 3 || !isInherited(name)) continue;
    while (stdio.length < descriptor) stdio.push("ignore");
    stdio[descriptor] = nothing;
  }
  return stdio;
}

function isInherited(name: string): boolean {
  try {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "utf8"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false;
  }
}
