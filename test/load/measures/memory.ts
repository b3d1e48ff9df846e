import { readdirSync, readFileSync } from "node:fs";
import { type Stack, serviceNames } from "../../stack/stack.ts";
import type { Measure } from "../report.ts";

/** Proportional set size of a process, MB: shared pages are divided among those that share them. */
function memoryOf(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? "0";
  return Number(kilobytes) / 1024;
}

interface Running {
  pid: number;
  parent: number;
  command: string;
}

const running = (): Running[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        return [
          { pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ") },
        ];
      } catch {
        return [];
      }
    });

const belowOf = (all: Running[], pid: number): Running[] =>
  all.filter(({ parent }) => parent === pid).flatMap((one) => [one, ...belowOf(all, one.pid)]);

/** Memory of the idle platform: each service, the servers, and the executor's processes for functions. Linux only. */
export async function measureMemory(stack: Stack): Promise<Measure[]> {
  const mine = belowOf(running(), process.pid);
  const sum = (pattern: RegExp) => {
    const found = mine.filter(({ command }) => pattern.test(command));
    return { count: found.length, megabytes: Math.round(found.reduce((total, { pid }) => total + memoryOf(pid), 0)) };
  };
  const instances = {
    nodeRunners: sum(/^(?!bwrap|.*\/bwrap).*runtime\/nodejs\/main/),
    pythonRunners: sum(/^(?!bwrap|.*\/bwrap).*runtime\/python\/main/),
  };
  const parts: Record<string, typeof instances.nodeRunners> = {
    ...Object.fromEntries(serviceNames.map((name) => [name, sum(new RegExp(`services/${name}/src/main`))])),
    nats: sum(/nats-server/),
    redis: sum(/redis-server/),
    ...instances,
    spawner: sum(/runtime\/spawner|^bwrap|\/bwrap/),
  };
  const each = ({ count, megabytes }: { count: number; megabytes: number }) =>
    count === 0 ? 0 : Number((megabytes / count).toFixed(1));
  const total = Object.values(parts).reduce((all, { megabytes }) => all + megabytes, 0);
  return [
    {
      name: `memory of the idle platform (${stack.kind})`,
      ours: total,
      unit: "MB",
      details: Object.fromEntries(Object.entries(parts).map(([name, { megabytes }]) => [`${name}Mb`, megabytes])),
    },
    {
      name: "one idle Node.js instance",
      ours: each(instances.nodeRunners),
      unit: "MB",
      details: { instances: instances.nodeRunners.count },
    },
    {
      name: "one idle Python instance",
      ours: each(instances.pythonRunners),
      unit: "MB",
      details: { instances: instances.pythonRunners.count },
    },
  ];
}
