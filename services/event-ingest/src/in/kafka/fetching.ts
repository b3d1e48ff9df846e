import { setTimeout as sleep } from "node:timers/promises";
import type { Consumer } from "@platformatic/kafka";
import type { BrokerFault } from "../../core/broker-faults.ts";
import { readBatches } from "../../core/kafka-records.ts";
import type { Health } from "../broker/health.ts";
import type { Cluster } from "./cluster.ts";
import type { Lane } from "./lane.ts";

type FetchResponse = Awaited<ReturnType<Consumer["fetch"]>>;

export interface FetchContext {
  reader: Consumer;
  cluster: Cluster;
  health: Health;
  /** The lanes that there are now. */
  lanes(): Iterable<Lane>;
  /** The place of a partition is not there any more. */
  onOutOfRange(lane: Lane): Promise<void>;
  /** Topics may have come or gone. */
  onTopicChange(): void;
  toFault(error: unknown): BrokerFault;
  signal: AbortSignal;
}

/** How long a broker may wait for records before it answers; a lane that gets room meanwhile waits as long, ms. */
const MAX_WAIT_MS = 250;
const PARTITION_BYTES = 1024 * 1024;
/** Of one answer, for one trigger: one larger record comes alone. */
const RESPONSE_BYTES = 4 * 1024 * 1024;
/** After an error, ms. */
const PAUSE_MS = 500;

/** Kafka's numbers of errors (protocol guide). */
const OFFSET_OUT_OF_RANGE = 1;
const TOPIC_ERRORS = new Set([3, 100, 103]);

/** Fetches for whichever partitions want records: one request at a time to each broker. */
export interface Fetching {
  /** Looks again who wants. */
  pump(): void;
}

export function startFetching(context: FetchContext): Fetching {
  const { reader, cluster, health, signal } = context;
  /** Brokers that are asked now, or rest after an error. */
  const busy = new Set<number>();
  const resting = new Set<Lane>();
  let isPumping = false;
  let again = false;

  /** A partition that is refused rests; the others of its broker do not. */
  async function onPartitionError(lane: Lane, code: number): Promise<void> {
    resting.add(lane);
    try {
      if (code === OFFSET_OUT_OF_RANGE) await context.onOutOfRange(lane);
      else if (TOPIC_ERRORS.has(code)) context.onTopicChange();
      reader.clearMetadata();
      await sleep(PAUSE_MS, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) health.failed("connection", context.toFault(error));
    }
    resting.delete(lane);
    pump();
  }

  function take(response: FetchResponse, asked: ReadonlyMap<string, { lane: Lane; from: number }>): void {
    for (const { topicId, partitions } of response.responses) {
      for (const partition of partitions) {
        const one = asked.get(`${topicId}/${partition.partitionIndex}`);
        if (!one) continue;
        if (partition.errorCode !== 0) void onPartitionError(one.lane, partition.errorCode);
        else {
          const { entries, next } = readBatches(partition.records ?? [], partition.abortedTransactions ?? [], one.from);
          one.lane.end = Number(partition.lastStableOffset);
          one.lane.take(entries, next);
        }
      }
    }
  }

  async function fetchFrom(node: number, lanes: readonly Lane[]): Promise<void> {
    const asked = new Map(lanes.map((lane) => [`${lane.topicId}/${lane.partition}`, { lane, from: lane.next }]));
    const topics = [...Map.groupBy(lanes, ({ topicId }) => topicId)].map(([topicId, group]) => ({
      topicId,
      partitions: group.map(({ partition, next }) => ({
        ...{ partition, fetchOffset: BigInt(next), partitionMaxBytes: PARTITION_BYTES },
        // Unknown: the broker does not check it.
        ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
      })),
    }));
    const limits = { maxWaitTime: MAX_WAIT_MS, minBytes: 1, maxBytes: RESPONSE_BYTES };
    try {
      const response = await reader.fetch({ node, topics, ...limits }).catch((error: unknown) => {
        // Some partitions are refused: what the others have is in the answer all the same.
        const partial = (error as { response?: FetchResponse }).response;
        if (partial && partial.errorCode === 0) return partial;
        throw error;
      });
      health.well("connection");
      take(response, asked);
    } catch (error) {
      if (signal.aborted) return;
      health.failed("connection", context.toFault(error));
      reader.clearMetadata();
      await sleep(PAUSE_MS * (1 + Math.random()), undefined, { signal });
    }
  }

  async function look(): Promise<void> {
    const wanting = [...context.lanes()].filter((lane) => lane.wants() && !resting.has(lane));
    if (wanting.length === 0) return;
    const { topics } = await cluster.read([...new Set(wanting.map(({ topic }) => topic))]);
    const byNode = Map.groupBy(
      wanting,
      ({ topic, partition }) => topics.get(topic)?.partitions[partition]?.leader ?? -1,
    );
    for (const [node, lanes] of byNode) {
      if (busy.has(node)) continue;
      busy.add(node);
      void fetchFrom(node, lanes)
        .catch(() => undefined)
        .finally(() => {
          busy.delete(node);
          pump();
        });
    }
  }

  function pump(): void {
    if (signal.aborted) return;
    if (isPumping) {
      again = true;
      return;
    }
    isPumping = true;
    again = false;
    void look()
      .catch(async (error: unknown) => {
        if (signal.aborted) return;
        health.failed("connection", context.toFault(error));
        again = true;
        await sleep(PAUSE_MS, undefined, { signal });
      })
      .catch(() => undefined)
      .finally(() => {
        isPumping = false;
        if (again) pump();
      });
  }
  return { pump };
}
