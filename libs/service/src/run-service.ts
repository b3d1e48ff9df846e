import { setFlagsFromString } from "node:v8";
import { type Bus, connectBus } from "@fnbus/bus";
import { readConfig, type Variables } from "@fnbus/config";
import { createLogger, createMetrics, createTracing, type Logger, type Metrics, type Tracing } from "@fnbus/telemetry";
import closeWithGrace from "close-with-grace";
import type { Static, TObject, TProperties } from "typebox";
import { createOpsServer } from "./ops-server.ts";
import type { ServiceConfig } from "./service-config.ts";

/** What a service gets to build itself from. */
export interface ServiceContext<C> {
  name: string;
  config: C;
  bus: Bus;
  logger: Logger;
  metrics: Metrics;
  tracing: Tracing;
}

/** What a service gives back: how to stop it, and what it says of itself. */
export interface RunningService {
  /** Stops intake first, then finishes what is in flight. The bus is drained afterwards by runService. */
  stop(): Promise<void>;
  /** Reasons why it is not ready; empty: ready. The bus's connection is checked by runService. */
  notReady?(): string[];
  /** Facts for /health: degraded features, isolation in force. */
  health?(): Record<string, unknown>;
}

/**
 * Calls leave many bytes of garbage and little else. V8 counts the bytes against a limit that it sets by what is alive, so after
 * one full collection it may do nothing but begin the next: ten a second, a third of an executor's time (measured). Four times
 * what is alive is the most that V8 sets by itself, where it finds that collecting is slow.
 */
const HEAP_GROWING_PERCENT = 300;

type Shared = { [K in keyof typeof ServiceConfig]: Static<(typeof ServiceConfig)[K]> };

/**
 * Runs one service until a signal ends it: configuration, bus, health, readiness, metrics, graceful stop. A second signal,
 * or the drain time over, exits with 1; a start that fails says why in one line and exits with 78 (configuration) or 1.
 */
export async function runService<P extends TProperties>(
  name: string,
  schema: TObject<P>,
  variables: Variables,
  start: (context: ServiceContext<Readonly<Static<TObject<P>>>>) => Promise<RunningService>,
): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  const logger = createLogger(name, variables.FNBUS_LOG_LEVEL);
  let config: Readonly<Static<TObject<P>>>;
  try {
    config = readConfig(schema, variables);
  } catch (error) {
    logger.fatal((error as Error).message);
    process.exit(78);
  }
  const shared = config as unknown as Shared;
  try {
    const metrics = createMetrics(name);
    const tracing = await createTracing(name, {
      endpoint: shared.OTEL_EXPORTER_OTLP_ENDPOINT,
      ratio: shared.FNBUS_TRACE_RATIO,
    });
    const bus = await connectBus({
      servers: shared.NATS_URL,
      name,
      onTrouble: (message) => logger.warn(message),
      ...(shared.NATS_USER ? { user: shared.NATS_USER, password: shared.NATS_PASSWORD } : {}),
    });
    let running: RunningService | undefined;
    let stopping = false;
    const reasons = () => [
      ...(stopping ? ["stopping"] : []),
      ...(running ? (running.notReady?.() ?? []) : ["starting"]),
      ...(bus.isConnected() ? [] : ["not connected to NATS"]),
    ];
    const ops = await createOpsServer(shared.FNBUS_OPS_HOST, shared.FNBUS_OPS_PORT, {
      health: () => ({
        service: name,
        uptimeSeconds: Math.round(process.uptime()),
        nats: bus.serverVersion,
        ...running?.health?.(),
      }),
      ready: () => ({ ready: reasons().length === 0, reasons: reasons() }),
      metrics: () => metrics.scrape(),
    });
    closeWithGrace(
      { delay: shared.FNBUS_DRAIN_MS, logger: { error: (text: unknown) => logger.error(text) } },
      async ({ signal, err }) => {
        stopping = true;
        if (err) logger.fatal({ err }, "stopping after an error that nobody caught");
        else logger.info({ signal }, "stopping");
        await running?.stop();
        await bus.drain();
        await Promise.all([ops.close(), metrics.stop(), tracing.stop()]);
        logger.info("stopped");
      },
    );
    running = await start({ name, config, bus, logger, metrics, tracing });
    logger.info({ opsPort: ops.port }, "ready");
  } catch (error) {
    logger.fatal({ err: error }, `cannot start: ${(error as Error).message}`);
    process.exit(1);
  }
}
