import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { type Platform, startPlatform } from "./platform.ts";
import { startReplica } from "./replica.ts";

/** What a test file of Kafka has beside its broker: a platform, a replica that reads, and clients of its own. */
export interface KafkaPeers<K> {
  kafka: K;
  platform: Platform;
  admin: Admin;
  producer: Producer<string, string, string, string>;
  stop(): Promise<void>;
}

/** `toBrokers`: where the clients find the broker. `retries`: of a producer's send. */
export async function startKafkaPeers<K extends { stop(): Promise<void> }>(
  starting: Promise<K>,
  toBrokers: (kafka: K) => readonly string[],
  retries?: number,
): Promise<KafkaPeers<K>> {
  const [kafka, platform] = await Promise.all([starting, startPlatform()]);
  const options = { clientId: "test", bootstrapBrokers: [...toBrokers(kafka)] };
  const admin = new Admin(options);
  const producer = new Producer({
    ...options,
    serializers: stringSerializers,
    ...(retries !== undefined && { retries }),
  });
  const replica = await startReplica(platform.nats.url);
  return {
    ...{ kafka, platform, admin, producer },
    async stop() {
      await replica.stop();
      await Promise.allSettled([admin.close(), producer.close()]);
      await platform.stop();
      await kafka.stop();
    },
  };
}
