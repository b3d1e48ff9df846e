import type { RegisteredFunction, TriggerOf } from "@fnbus/contract";
import { type Publisher, toSource } from "@fnbus/publisher";
import type { Consumer } from "@platformatic/kafka";
import { timeOfId, toStart } from "../../core/kafka-start.ts";
import type { Cluster } from "./cluster.ts";
import { type PartitionId, toCounts } from "./partition.ts";

/** Where the group was, by partition; undefined where it was never. */
async function readCommitted(
  trigger: TriggerOf<"kafka">,
  member: Consumer,
  ids: readonly PartitionId[],
): Promise<(number | undefined)[]> {
  // A replay begins anew, also in a group whose name stays.
  if (trigger.config.groupId !== undefined && timeOfId(trigger.incarnation) > trigger.createdAt)
    return ids.map(() => undefined);
  const topics = [...Map.groupBy(ids, ({ topic }) => topic)].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition }) => partition),
  }));
  const committed = await member.listCommittedOffsets({ topics });
  return ids.map(({ topic, partition }) => {
    const offset = committed.get(topic)?.[partition];
    return offset === undefined || offset < 0n ? undefined : Number(offset);
  });
}

/** The offset that each partition begins with. Throws where ledger or brokers do not answer. */
export async function placePartitions(
  trigger: TriggerOf<"kafka">,
  to: RegisteredFunction,
  ids: readonly PartitionId[],
  { publisher, member, cluster }: { publisher: Publisher; member: Consumer; cluster: Cluster },
): Promise<number[]> {
  const sources = ids.map((id) => toSource(trigger, to, toCounts(id)));
  const [marks, committed, earliest, end, youngest] = await Promise.all([
    publisher.marks(to.definition.partition, sources),
    readCommitted(trigger, member, ids),
    cluster.offsets(ids, "earliest"),
    cluster.offsets(ids, "end"),
    cluster.offsets(ids, timeOfId(trigger.incarnation)),
  ]);
  return ids.map((_, index) =>
    toStart(
      {
        mark: marks[index] ?? undefined,
        committed: committed[index],
        youngest: youngest[index],
        earliest: earliest[index] ?? 0,
        end: end[index] ?? 0,
      },
      trigger.config.from ?? "latest",
    ),
  );
}
