import { FnbusError } from "@fnbus/contract";
import type { BrokerGuard } from "@fnbus/sources";
import { type ClusterMetadata, type Consumer, ListOffsetTimestamps } from "@platformatic/kafka";
import { checkBroker } from "./guarding.ts";
import type { PartitionId } from "./partition.ts";

/** What is asked of the brokers beside records and group. */
export interface Cluster {
  /** Leaders and ids of these topics. Brokers that were not known yet are let pass by the guard first. */
  read(topics: readonly string[], isFresh?: boolean): Promise<ClusterMetadata>;
  /** Which of the topics exist, with their ids and numbers of partitions. Throws where none does. */
  topology(topics: readonly string[]): Promise<Topology>;
  /** First offset at or after a time, or of the ends; by partition, undefined where there is none. */
  offsets(ids: readonly PartitionId[], at: "earliest" | "end" | number): Promise<(number | undefined)[]>;
}

export interface Topology {
  topics: ReadonlyMap<string, { id: string; partitions: number }>;
  missing: readonly string[];
}

/** Whether a change asks for another division of the partitions. */
export const isSameTopology = (a: Topology, b: Topology): boolean =>
  a.topics.size === b.topics.size &&
  [...a.topics].every(([name, { id, partitions }]) => {
    const other = b.topics.get(name);
    return other?.id === id && other.partitions === partitions;
  });

/** The library says it in words only. */
const isUnknownTopic = (error: unknown): boolean => error instanceof Error && /^Unknown topic /.test(error.message);

export function createCluster(client: Consumer, guard: BrokerGuard): Cluster {
  const checked = new Set<string>();

  async function read(topics: readonly string[], isFresh = false): Promise<ClusterMetadata> {
    const metadata = await client.metadata({ topics: [...topics], forceUpdate: isFresh });
    for (const { host } of metadata.brokers.values()) {
      if (checked.has(host)) continue;
      await checkBroker(guard, host);
      checked.add(host);
    }
    return metadata;
  }
  const ofOne = async (topic: string): Promise<ClusterMetadata | undefined> => {
    try {
      return await read([topic], true);
    } catch (error) {
      if (isUnknownTopic(error)) return undefined;
      throw error;
    }
  };

  return {
    read,
    async topology(wanted) {
      const all = await read(wanted, true).catch((error: unknown) => {
        if (isUnknownTopic(error)) return undefined;
        throw error;
      });
      const topics = new Map<string, { id: string; partitions: number }>();
      for (const name of wanted) {
        const found = (all ?? (await ofOne(name)))?.topics.get(name);
        if (found) topics.set(name, { id: found.id, partitions: found.partitionsCount });
      }
      const missing = wanted.filter((name) => !topics.has(name));
      if (topics.size === 0) throw new FnbusError("source_topic_missing", `no topic ${missing.join(", ")}`);
      return { topics, missing };
    },
    async offsets(ids, at) {
      const partitions: Record<string, number[]> = {};
      for (const { topic, partition } of ids) partitions[topic] = [...(partitions[topic] ?? []), partition];
      const timestamp =
        at === "earliest" ? ListOffsetTimestamps.EARLIEST : at === "end" ? ListOffsetTimestamps.LATEST : BigInt(at);
      const topics = Object.keys(partitions);
      if (topics.length === 0) return [];
      const found = await client.listOffsets({ topics, partitions, timestamp });
      return ids.map(({ topic, partition }) => {
        const offset = found.get(topic)?.[partition];
        return offset === undefined || offset < 0n ? undefined : Number(offset);
      });
    },
  };
}
