import { join } from "node:path";
import type { Bus } from "@fnbus/bus";
import { buckets } from "@fnbus/contract";
import type { Logger, Metrics } from "@fnbus/telemetry";
import type { ExecutorConfig } from "../config.ts";
import { createBoot } from "./boot.ts";
import { createCheck } from "./check.ts";
import { createCodeCache } from "./code-cache.ts";
import { createLogPublisher } from "./logs.ts";
import type { Machine } from "./machine.ts";
import { createPools } from "./pools.ts";
import { createSpares } from "./spares.ts";
import { createSpawner } from "./spawner.ts";
import { createStartInstance } from "./start-instance.ts";

const MB = 1024 * 1024;

/** Everything between a run that is asked for and user code: spawner, spares, code, instances, logs. */
export async function createRunning(options: {
  bus: Bus;
  config: ExecutorConfig;
  logger: Logger;
  metrics: Metrics;
  machine: Machine;
  executor: string;
}) {
  const { bus, config, logger, metrics, machine, executor } = options;
  const droppedLines = metrics.counter("fnbus_executor_log_lines_dropped", "lines of functions over a limit");
  const spawner = createSpawner(join(machine.paths.runtimes, "spawner.mjs"));
  const boot = createBoot({ ...machine, executor, spawner, folder: join(machine.folder, "instances") });
  const spares = createSpares(boot, config.FNBUS_EXECUTOR_SPARES, logger);
  const code = createCodeCache(
    join(machine.folder, "code"),
    await bus.objects(buckets.code),
    config.FNBUS_EXECUTOR_CODE_MB * MB,
  );
  const logs = createLogPublisher(bus, (lines) => droppedLines.add(lines));
  const startInstance = createStartInstance({
    ...{ executor, boot, spares, code, logs },
    isolation: machine.isolation,
  });
  const check = createCheck(
    createStartInstance({
      ...{ executor, boot, spares, code },
      isolation: machine.isolation,
      logs: { add: () => {}, flush: () => {}, dropped: () => {} },
      check: true,
    }),
  );
  const pools = createPools(
    startInstance,
    {
      instances: config.FNBUS_EXECUTOR_INSTANCES,
      memoryMb: config.FNBUS_EXECUTOR_MEMORY_MB,
      idleMs: config.FNBUS_EXECUTOR_IDLE_SECONDS * 1000,
    },
    executor,
  );
  metrics.gauge("fnbus_executor_instances", "instances of functions", () => [[pools.facts().instances]]);
  metrics.gauge("fnbus_executor_queued", "runs that wait for an instance", () => [[pools.facts().queued]]);
  for (const runtime of ["nodejs", "python"] as const) spares.fill({ runtime, network: true });

  return {
    pools,
    check,
    /** Code that was just deployed. */
    expectCode: code.expect,
    async stop(): Promise<void> {
      await pools.stop();
      spares.stop();
      await boot.stop();
      logs.flush();
      await spawner.stop();
    },
  };
}
