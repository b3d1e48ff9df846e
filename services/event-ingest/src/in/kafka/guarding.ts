import type { BrokerGuard } from "@fnbus/sources";

/**
 * Throws where a broker may not be reached. Kafka's brokers name further ones, each of which is checked before it is
 * connected to; the client library takes no look-up of ours without TLS, so a name is looked up once more by itself.
 */
export async function checkBroker(guard: BrokerGuard, host: string): Promise<void> {
  guard.checkHost(host);
  await new Promise<void>((resolve, reject) => {
    guard.lookup(host, { all: true }, (error) => (error ? reject(error) : resolve()));
  });
}
