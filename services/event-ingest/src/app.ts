import { createRates, toBounds } from "@fnbus/http";
import { createPublisher } from "@fnbus/publisher";
import { createAccess, createRegistry, createTriggers } from "@fnbus/registry";
import type { RunningService, ServiceContext } from "@fnbus/service";
import { createBrokerGuard, runSources } from "@fnbus/sources";
import type { IngestConfig } from "./config.ts";
import { createAnswers } from "./in/http/answers.ts";
import { createListening } from "./in/http/listening.ts";
import { createServer } from "./in/http/server.ts";
import { createKafkaKind } from "./in/kafka/kind.ts";
import { createRabbitmqKind } from "./in/rabbitmq/kind.ts";

/** Builds event-ingest, listens, and gives back how to stop it: what comes in first, then what it published. */
export async function startEventIngest(
  context: ServiceContext<IngestConfig>,
): Promise<RunningService & { url: string }> {
  const { bus, config, logger, metrics, tracing } = context;
  const [registry, access, triggers] = await Promise.all([createRegistry(bus), createAccess(bus), createTriggers(bus)]);
  const publisher = createPublisher({
    ...{ bus, logger, service: "event-ingest" },
    partitions: config.FNBUS_PARTITIONS,
    timeoutMs: config.FNBUS_ACCEPT_TIMEOUT_MS,
  });
  const listening = createListening(registry);
  const answers = createAnswers();
  const { app, load, stop } = await createServer({
    ...{ triggers, registry, access, publisher, listening, answers, tracing, logger },
    rates: createRates(config.FNBUS_KEY_RATE),
    bounds: toBounds(config),
  });
  const guard = createBrokerGuard({
    allow: config.FNBUS_BROKER_ALLOW.split(","),
    allowLoopback: config.FNBUS_BROKER_ALLOW_LOOPBACK,
  });
  const brokers = { publisher, registry, logger, guard };
  const sources = runSources({
    ...{ service: "event-ingest" as const, bus, triggers, publisher, logger, metrics },
    kinds: { ...listening.kinds, kafka: createKafkaKind(brokers), rabbitmq: createRabbitmqKind(brokers) },
  });
  metrics.gauge("fnbus_ingest_answers", "answers to senders of events since the start, by code", () =>
    [...answers.all()].map(([code, count]) => [count, { code }]),
  );
  metrics.gauge("fnbus_ingest_in_flight", "requests in progress", () => [[load.open.size]]);

  const url = await app.listen({ host: config.FNBUS_INGEST_HOST, port: config.FNBUS_INGEST_PORT });
  logger.info({ url }, "listening");
  return {
    url,
    async stop() {
      await Promise.all([stop(), sources.stop()]);
      listening.close();
      await publisher.close();
      triggers.stop();
      access.stop();
      registry.stop();
    },
    health: () => ({ url, requests: load.open.size, ...sources.facts() }),
  };
}
