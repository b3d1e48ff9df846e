import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Announcement, buckets } from "@fnbus/contract";
import { createRegistry } from "@fnbus/registry";
import type { RunningService, ServiceContext } from "@fnbus/service";
import type { ExecutorConfig } from "./config.ts";
import { createHeldWork } from "./core/held-work.ts";
import { toAsyncResult } from "./core/results.ts";
import { createShares } from "./core/shares.ts";
import { serveCalls } from "./in/calls.ts";
import { serveChecks } from "./in/checks.ts";
import { createFindFunction } from "./in/find-function.ts";
import { hearOthers } from "./in/presence.ts";
import { serveWork } from "./in/work.ts";
import { createAnnouncer } from "./out/announcer.ts";
import { createBodies } from "./out/bodies.ts";
import { createHolding } from "./out/holding.ts";
import { prepareMachine } from "./out/machine.ts";
import { createResultPublisher } from "./out/results.ts";
import { createRunning } from "./out/running.ts";

const DRAIN_CHECK_MS = 50;
/** Of the time to stop, what ending instances and removing their folders may take. */
const CLEAN_UP_MS = 2_000;

/** Builds the executor: what runs functions, and the doors that calls, work and questions come in by. */
export async function startExecutor(context: ServiceContext<ExecutorConfig>): Promise<RunningService> {
  const { bus, config, logger, metrics } = context;
  const executor = toExecutorName();
  const pool = config.FNBUS_EXECUTOR_POOL;
  const registry = await createRegistry(bus);
  const bodies = createBodies(await bus.objects(buckets.bodies));
  const machine = await prepareMachine(
    {
      executor,
      folder: config.FNBUS_EXECUTOR_FOLDER,
      python: config.FNBUS_EXECUTOR_PYTHON,
      sandbox: config.FNBUS_EXECUTOR_ISOLATION === "auto",
    },
    logger,
  );
  const running = await createRunning({ bus, config, logger, metrics, machine, executor });
  const { pools } = running;

  const ended = { sync: { ran: 0, "not-run": 0 }, async: { ran: 0, "not-run": 0 } };
  metrics.total("fnbus_executor_runs", "runs that ended, by way of asking and outcome", () =>
    Object.entries(ended).flatMap(([mode, counts]) =>
      Object.entries(counts).map(([outcome, count]): [number, Record<string, string>] => [count, { mode, outcome }]),
    ),
  );
  const shares = createShares({ executor, pool });
  const held = createHeldWork(config.FNBUS_EXECUTOR_CAPACITY);
  const results = createResultPublisher(bus, executor, held);
  const holding = createHolding({ executor, held, bodies, results });
  const find = createFindFunction(registry);
  let draining = false;

  const calls = serveCalls({
    ...{ bus, executor, pool, shares, find },
    runs: pools,
    readBody: bodies.read,
    storeBody: bodies.store,
    onEnd(outcome) {
      ended.sync[outcome]++;
    },
  });
  const work = serveWork({
    ...{ bus, executor, held, find },
    runs: pools,
    readBody: bodies.read,
    answer: results.answer,
    onResult(id, attempt, end) {
      ended.async[end.kind]++;
      holding.keep(id, attempt, toAsyncResult(end, executor, Date.now()));
    },
    onDamaged: (error) => logger.error({ err: error }, "a pack of work cannot be read"),
  });
  const checks = serveChecks(bus, pool, running.check);
  const announcer = createAnnouncer(
    bus,
    executor,
    (): Announcement => ({
      ...{ executor, pool, draining },
      capacity: draining ? 0 : config.FNBUS_EXECUTOR_CAPACITY,
      isolation: machine.isolation.level,
      memoryLimits: machine.cgroups !== undefined,
      partitions: held.holds(),
      warm: pools.warm(),
      calls: calls.running(),
    }),
  );
  const others = await hearOthers(bus, {
    announcement: (said) => shares.hear(said, performance.now()),
    epoch: held.seeEpoch,
  });
  const unfollow = registry.onFunction((id, now) => {
    const definition = now?.definition.settings.pool === pool ? now.definition : undefined;
    if (definition?.code) running.expectCode(definition.code.object);
    pools.follow(id, definition);
  });
  for (const { definition } of registry.allFunctions())
    if (definition.settings.pool === pool) pools.follow(definition.id, definition);

  return {
    health: () => ({
      ...{ executor, pool, draining },
      isolation: machine.isolation,
      memoryLimits: machine.cgroups !== undefined,
      degraded: machine.degraded,
      held: held.size,
      ...pools.facts(),
    }),
    async stop() {
      draining = true;
      work.drain();
      announcer.say();
      await Promise.all([calls.stop(), checks.drain()]);
      const endsAt = performance.now() + config.FNBUS_DRAIN_MS - CLEAN_UP_MS;
      while ((calls.isBusy() || held.size > 0) && performance.now() < endsAt) await sleep(DRAIN_CHECK_MS);
      if (held.size > 0) logger.warn({ held: held.size }, "stopped with results that no ledger took: they run again");
      work.stop();
      results.stop();
      announcer.stop();
      others.stop();
      unfollow();
      await running.stop();
      machine.stop();
      registry.stop();
    },
  };
}

/** Made at each start and never used again (L14). One token of a subject. */
function toExecutorName(): string {
  const host = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 32);
  return `${host}-${randomBytes(5).toString("hex")}`;
}
