import type { DataFolder } from "./data/folder.ts";
import { noteProcesses } from "./data/remnants.ts";
import type { Output } from "./output.ts";
import { type ProcessSpec, type Supervised, supervise } from "./processes/supervised.ts";

export interface Supervisor {
  /** Starts all of them and resolves when all are ready; rejects with the first that cannot be. */
  start(specs: readonly ProcessSpec[]): Promise<void>;
  /** Stops one group after the other, each in parallel: names in the order of stopping. */
  stop(order: readonly (readonly string[])[]): Promise<void>;
  killAll(): void;
}

/** Runs the platform's processes and keeps note of them for the start after a crash. */
export function createSupervisor(data: DataFolder, output: Output): Supervisor {
  const running = new Map<string, Supervised>();
  const pids: Record<string, number> = {};
  const events = {
    onLine: output.processLine,
    onRestart: (name: string, code: number, delayMs: number) =>
      output.say(`${name} ended with exit code ${code}; it starts again in ${(delayMs / 1000).toFixed(1)} s`),
    onPid(name: string, pid: number | undefined) {
      if (pid === undefined) delete pids[name];
      else pids[name] = pid;
      noteProcesses(data, pids);
    },
  };
  return {
    async start(specs) {
      const started = specs.map((spec) => {
        const one = supervise(spec, events);
        running.set(spec.name, one);
        return one.ready;
      });
      await Promise.all(started);
    },
    async stop(order) {
      for (const names of order) await Promise.all(names.map((name) => running.get(name)?.stop()));
    },
    killAll() {
      for (const one of running.values()) one.kill();
    },
  };
}
