import { createHash } from "node:crypto";
import { createCallbackGuard } from "@fnbus/guard";
import { createRates, toBounds } from "@fnbus/http";
import {
  createBacklog,
  createBodies,
  createInvocations,
  createLedger,
  createRecords,
  createVerdicts,
} from "@fnbus/publisher";
import { createAccess, createRegistry, createTriggers } from "@fnbus/registry";
import type { RunningService, ServiceContext } from "@fnbus/service";
import type { GatewayConfig } from "./config.ts";
import { createCounts } from "./core/counts.ts";
import { createExecutors } from "./core/executors.ts";
import type { Doors } from "./in/doors.ts";
import { createServer } from "./in/server.ts";
import { hearAnnouncements } from "./out/announcements.ts";
import { createCallbacks } from "./out/callbacks.ts";
import { createCalls } from "./out/calls.ts";
import { createCodeChecks } from "./out/code-checks.ts";
import { createCodeStore } from "./out/code-store.ts";
import { createDeployments } from "./out/deployments.ts";
import { createFunctionLogs } from "./out/function-logs.ts";
import { createSources } from "./out/sources.ts";
import { createTriggerDefinitions } from "./out/trigger-definitions.ts";

/** A ledger that is silent for longer is not waited for: all but keyed calls are served without it (L23). */
const FIRST_LEDGER_MS = 10_000;

/** Builds the gateway, listens, and gives back how to stop it: HTTP first, then what it published. */
export async function startGateway(context: ServiceContext<GatewayConfig>): Promise<RunningService & { url: string }> {
  const { bus, config, logger, metrics, tracing } = context;
  const [registry, access, triggers] = await Promise.all([createRegistry(bus), createAccess(bus), createTriggers(bus)]);
  const backlog = createBacklog();
  const executors = createExecutors();
  const counts = createCounts();
  const bodies = createBodies(bus, logger);
  const partitions = config.FNBUS_PARTITIONS;
  const invocations = createInvocations(bus, bodies, createVerdicts(bus, logger), {
    partitions,
    timeoutMs: config.FNBUS_ACCEPT_TIMEOUT_MS,
  });
  const records = createRecords(bus, partitions, "gateway", logger);
  const deployments = createDeployments({
    registry,
    logger,
    store: createCodeStore(bus, logger),
    checks: createCodeChecks(bus),
    partitionOf: (space, name) => createHash("sha256").update(`${space}/${name}`).digest().readUInt32LE() % partitions,
  });
  const guard = createCallbackGuard(config);
  const doors: Doors = {
    ...{
      registry,
      access,
      triggers,
      guard,
      invocations,
      bodies,
      records,
      deployments,
      backlog,
      executors,
      counts,
      tracing,
      logger,
    },
    calls: createCalls(bus, executors, bodies),
    ledger: createLedger(bus, partitions),
    callbacks: createCallbacks(bus),
    functionLogs: createFunctionLogs(bus, logger),
    triggerDefinitions: createTriggerDefinitions(registry, triggers, guard),
    sources: createSources(bus, logger),
    rates: createRates(config.FNBUS_KEY_RATE),
    bounds: toBounds(config),
    settings: {
      partitions,
      signingSecret: config.FNBUS_SIGNING_SECRET,
      syncTimeoutMs: config.FNBUS_SYNC_TIMEOUT_MS,
      tokenSeconds: config.FNBUS_TOKEN_SECONDS,
    },
  };
  const stopHearing = hearAnnouncements(bus, backlog, executors, logger);
  const stopForgetting = registry.onFunction((id, now) => now ?? counts.forget(id));
  const { app, load, stop } = await createServer(doors);

  metrics.gauge("fnbus_gateway_answers", "answers since the start, by door and code", () =>
    [...counts.answers()].map(([door, code, count]) => [count, { door, code }]),
  );
  metrics.gauge("fnbus_gateway_in_flight", "requests in progress", () => [[load.open.size]]);
  metrics.gauge("fnbus_gateway_body_bytes", "bytes of request bodies in memory", () => [[load.bodyBytes]]);
  metrics.gauge("fnbus_gateway_records_dropped", "records of synchronous calls that were not stored", () => [
    [records.dropped],
  ]);

  const url = await app.listen({ host: config.FNBUS_HOST, port: config.FNBUS_PORT });
  logger.info({ url }, "listening");
  const startedAt = performance.now();
  return {
    url,
    async stop() {
      await stop();
      await Promise.all([invocations.close(), records.close()]);
      stopHearing();
      stopForgetting();
      doors.sources.stop();
      for (const index of [registry, access, triggers]) index.stop();
    },
    // Served all the same: only who sends keys to a gateway that has just started would be refused.
    notReady() {
      const silent = performance.now() - startedAt < FIRST_LEDGER_MS ? backlog.unheard(partitions) : [];
      return silent.map((partition) => `no ledger of partition ${partition} is heard yet: keyed calls are refused`);
    },
    health: () => ({ url, requests: load.open.size, executors: executors.alive(Date.now()).length }),
  };
}
