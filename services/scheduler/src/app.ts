import { setTimeout as pause } from "node:timers/promises";
import { createPublisher } from "@fnbus/publisher";
import { createRegistry, createTriggers } from "@fnbus/registry";
import type { RunningService, ServiceContext } from "@fnbus/service";
import { runSources } from "@fnbus/sources";
import type { SchedulerConfig } from "./config.ts";
import { createCronKind } from "./in/cron.ts";
import { createFunctionWatch } from "./in/functions.ts";
import { createJobs } from "./in/jobs.ts";
import { createTicker } from "./in/ticker.ts";
import { createTimerKind } from "./in/timer.ts";
import { createMarkReader } from "./out/marks.ts";
import { createTickPublishing } from "./out/ticks.ts";

/** On top of one try to publish. */
const STOP_MARGIN_MS = 1_000;

/** Runs every schedule. `now` is the wall clock, ms since 1970. */
export async function startScheduler(
  context: ServiceContext<SchedulerConfig>,
  now: () => number = Date.now,
): Promise<RunningService> {
  const { bus, config, logger, metrics } = context;
  const [registry, triggers] = await Promise.all([createRegistry(bus), createTriggers(bus)]);
  const publisher = createPublisher({
    ...{ bus, logger, service: "scheduler" },
    partitions: config.FNBUS_PARTITIONS,
    timeoutMs: config.FNBUS_ACCEPT_TIMEOUT_MS,
  });
  const delay = metrics.histogram("fnbus_tick_delay", "from when a tick was due until its invocation was stored", "ms");
  const ticker = createTicker({
    now,
    isReady: bus.isConnected,
    publish: createTickPublishing({ publisher, registry, logger, now, onTick: (lateMs) => delay.record(lateMs) }),
    maxInFlight: config.FNBUS_TICKS_IN_FLIGHT,
  });
  const marks = createMarkReader(publisher, logger);
  const functions = createFunctionWatch(registry);
  const jobs = createJobs({ registry, ticker, readMark: marks.read, now });
  const kinds = {
    timer: createTimerKind({ registry, functions, jobs, now }),
    cron: createCronKind({ registry, functions, jobs, now }),
  };
  const sources = runSources({ service: "scheduler", bus, triggers, publisher, logger, metrics, kinds });
  metrics.gauge("fnbus_schedules", "schedules, by whether they wait for their time or are being published", () => [
    [ticker.waiting, { state: "waiting" }],
    [ticker.inFlight, { state: "publishing" }],
  ]);

  return {
    async stop() {
      marks.close();
      // Records of what was left out are tried until they are stored: a broker that is away must not hold the end up.
      const late = pause(config.FNBUS_ACCEPT_TIMEOUT_MS + STOP_MARGIN_MS, undefined, { ref: false });
      await Promise.race([ticker.stop(), late]);
      await publisher.close();
      await sources.stop();
      functions.stop();
      triggers.stop();
      registry.stop();
    },
    health: () => ({ schedules: ticker.waiting, publishing: ticker.inFlight, ...sources.facts() }),
  };
}
