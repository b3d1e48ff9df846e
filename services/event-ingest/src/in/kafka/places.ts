import type { Consumer } from "@platformatic/kafka";
import type { Cluster } from "./cluster.ts";
import type { Lane } from "./lane.ts";

/** Places of the lanes as the brokers are told them, and their ends as the brokers tell. */
export interface Places {
  /** Tells the group how far it has come. Never throws: the ledger's mark is what counts (L10). */
  commit(): Promise<void>;
  readEnds(cluster: Cluster): Promise<void>;
}

export function createPlaces(member: Consumer, lanes: () => Iterable<Lane>): Places {
  const committed = new WeakMap<Lane, number>();
  return {
    async commit() {
      const moved = [...lanes()].filter((lane) => committed.get(lane) !== lane.position);
      if (moved.length === 0 || !member.isActive()) return;
      const positions = moved.map(({ position }) => position);
      const offsets = moved.map(({ topic, partition }, index) => ({
        ...{ topic, partition, offset: BigInt(positions[index]!), leaderEpoch: -1 },
      }));
      try {
        await member.commit({ offsets });
        for (const [index, lane] of moved.entries()) committed.set(lane, positions[index]!);
      } catch {
        // The next commit says it again.
      }
    },
    async readEnds(cluster) {
      const held = [...lanes()];
      const ends = await cluster.offsets(held, "end");
      for (const [index, lane] of held.entries()) lane.end = Math.max(lane.end, ends[index] ?? 0);
    },
  };
}
