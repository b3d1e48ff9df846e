import type { Publisher } from "@fnbus/publisher";
import type { RegistryIndex } from "@fnbus/registry";
import type { BrokerGuard } from "@fnbus/sources";
import type { Logger } from "@fnbus/telemetry";

/** What the sources that connect to brokers work with. */
export interface BrokerDeps {
  publisher: Publisher;
  registry: RegistryIndex;
  logger: Logger;
  /** Which brokers may be reached. */
  guard: BrokerGuard;
  /** How long a silent Kafka consumer keeps its partitions, ms. */
  kafkaSessionMs?: number;
}
