import { connectBus } from "@fnbus/bus";
import { createPublisher } from "@fnbus/publisher";
import { createRegistry, createTriggers } from "@fnbus/registry";
import { createBrokerGuard, runSources } from "@fnbus/sources";
import { createLogger, createMetrics } from "@fnbus/telemetry";
import { createKafkaKind } from "../../src/in/kafka/kind.ts";
import { createRabbitmqKind } from "../../src/in/rabbitmq/kind.ts";

/** A replica that runs Kafka's and RabbitMQ's triggers, with a connection of its own. */
export async function startReplica(url: string, level = "error") {
  const bus = await connectBus({ servers: url, name: "event-ingest", connectTimeoutMs: 10_000 });
  const logger = createLogger("event-ingest", level);
  const metrics = createMetrics("event-ingest");
  const [registry, triggers] = await Promise.all([createRegistry(bus), createTriggers(bus)]);
  const publisher = createPublisher({ bus, logger, service: "event-ingest", partitions: 1, timeoutMs: 5_000 });
  const guard = createBrokerGuard({ allow: [], allowLoopback: true });
  const deps = { publisher, registry, logger, guard, kafkaSessionMs: 3_000 };
  const kinds = { kafka: createKafkaKind(deps), rabbitmq: createRabbitmqKind(deps) };
  const sources = runSources({ service: "event-ingest", bus, triggers, publisher, logger, metrics, kinds });
  return {
    kinds,
    async stop() {
      await sources.stop();
      await publisher.close();
      triggers.stop();
      registry.stop();
      await bus.drain();
      await metrics.stop();
    },
  };
}
