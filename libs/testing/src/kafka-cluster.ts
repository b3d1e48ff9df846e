import { freePorts } from "./free-port.ts";
import { type KafkaNode, makeClusterId, startKafkaNode } from "./kafka-node.ts";

export interface KafkaCluster {
  /** By number: the broker that metadata calls 1 is the first. */
  readonly members: readonly (KafkaNode & { readonly broker: string })[];
  /** "127.0.0.1:port" each, without credentials. */
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

/** A cluster of `size` processes, broker and controller each, that misses a dead one after three seconds. */
export async function startKafkaCluster(size: number): Promise<KafkaCluster> {
  const ports = await freePorts(2 * size);
  const controllers = ports.slice(size);
  const clusterId = makeClusterId();
  const properties = { "broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500 };
  const members = await Promise.all(
    ports.slice(0, size).map(async (port, index) => {
      const listeners = [{ name: "PLAIN", port, protocol: "PLAINTEXT" as const }];
      const node = await startKafkaNode({ id: index + 1, clusterId, controllers, listeners, properties });
      return Object.assign(node, { broker: `127.0.0.1:${port}` });
    }),
  );
  return {
    members,
    brokers: members.map(({ broker }) => broker),
    async stop() {
      await Promise.all(members.map((member) => member.stop()));
    },
  };
}
