import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "@platformatic/kafka";
import { toBrokerFault } from "../../core/broker-faults.ts";
import { waitForTarget } from "../broker/target.ts";
import { openClients } from "./clients.ts";
import { createCluster, isSameTopology, type Topology } from "./cluster.ts";
import { startFetching } from "./fetching.ts";
import { createLane, type Lane, type LaneContext } from "./lane.ts";
import { type PartitionId, toCounts } from "./partition.ts";
import { createPlaces } from "./places.ts";
import { placePartitions } from "./placing.ts";

/** Between looks whether topics came, went, grew, or were made again, and how far behind a partition is, ms. */
const LOOK_MS = 5_000;
/** Between commits to the group, which only operators' tools read, ms. */
const COMMIT_MS = 1_000;
/** Between looks whether other triggers gave back what all may hold together, ms. */
const PUMP_MS = 500;
/** A broker that is gone is not waited for, ms. */
const CLOSE_MS = 3_000;

export interface Session {
  lanes: Map<string, Lane>;
  /** The cluster's brokers as the last session found them. */
  brokers: readonly Broker[];
}

/**
 * One membership in the consumer group, from joining to leaving. Resolves when the topics have changed, so that a new one is
 * to begin; throws where the broker, or the guard, has no more to give. What it held is finished or left to the next.
 */
export async function runSession(context: LaneContext, session: Session, ending: AbortSignal): Promise<void> {
  const { deps, trigger, health } = context;
  const { lanes } = session;
  const target = () => waitForTarget(deps.registry, trigger, health, ending);
  await target();

  const over = new AbortController();
  const signal = AbortSignal.any([ending, over.signal]);
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<void>();
  ending.addEventListener("abort", () => end(), { once: true });
  if (ending.aborted) end();
  ended.catch(() => undefined);
  /** What a broker that is gone would hold up is left where the session ends. */
  const unlessEnded = <T>(work: Promise<T>): Promise<T | undefined> =>
    Promise.race([work, ended.then(() => undefined)]);
  const opening = openClients(trigger, session.brokers, deps.guard, deps.kafkaSessionMs);
  const opened = await unlessEnded(opening);
  if (!opened) return void opening.then(({ clients }) => clients.close()).catch(() => undefined);
  session.brokers = opened.found;
  const { clients } = opened;
  const { member, reader } = clients;
  const cluster = createCluster(reader, deps.guard);
  const places = createPlaces(member, () => lanes.values());

  /** Records that the broker deleted before they were read are given up by name (I6). */
  async function onOutOfRange(lane: Lane): Promise<void> {
    if (lane.position !== lane.next) return;
    const { topic, partition, next } = lane;
    const [earliest = 0] = await cluster.offsets([lane], "earliest");
    const [last = 0] = await cluster.offsets([lane], "end");
    if (next < earliest) {
      const what = `kafka records ${topic}/${partition}@${next}-${earliest - 1}`;
      await deps.publisher.giveUp({ trigger, what, reason: "the broker deleted them before they were read" });
      context.status.givenUp(earliest - next);
      if (lane.next === next) lane.jump(earliest);
    } else if (next > last) {
      const message = `${topic}/${partition} ends at ${last}, before the place that was reached, ${next}`;
      health.trouble("source_failed", message);
      await sleep(LOOK_MS, undefined, { signal });
    }
  }
  const fetching = startFetching({
    ...{ reader, cluster, health, signal, onOutOfRange },
    toFault: (error) => toBrokerFault(clients.explain(error)),
    lanes: () => lanes.values(),
    onTopicChange: () => void look().catch(fail),
  });

  let topology: Topology = { topics: new Map(), missing: [] };
  async function look(): Promise<void> {
    const now = await cluster.topology(trigger.config.topics);
    if (!isSameTopology(now, topology)) end();
  }

  /** Lanes for what is assigned now, and for nothing else. */
  async function divide(): Promise<void> {
    const ids = (member.assignments ?? []).flatMap(({ topic, partitions }) => {
      const topicId = topology.topics.get(topic)?.id;
      return topicId === undefined ? [] : partitions.map((partition): PartitionId => ({ topic, topicId, partition }));
    });
    const wanted = new Set(ids.map(toCounts));
    const lost = [...lanes].filter(([counts]) => !wanted.has(counts));
    for (const [counts] of lost) lanes.delete(counts);
    await Promise.all(lost.map(([, lane]) => lane.stop()));
    const added = ids.filter((id) => !lanes.has(toCounts(id)));
    if (added.length > 0) {
      const starts = await placePartitions(trigger, await target(), added, { ...deps, member, cluster });
      if (signal.aborted) return;
      for (const [index, id] of added.entries())
        lanes.set(toCounts(id), createLane({ ...context, onRoom: fetching.pump }, id, starts[index]!));
    }
    health.well("connection");
    fetching.pump();
  }
  let dividing = Promise.resolve();
  member.on("consumer:group:join", () => {
    dividing = dividing.then(divide).catch(fail);
  });
  member.on("error", fail);

  const timers: NodeJS.Timeout[] = [];
  try {
    topology = (await unlessEnded(cluster.topology(trigger.config.topics))) ?? topology;
    if (topology.missing.length > 0)
      health.trouble("source_topic_missing", `no topic ${topology.missing.join(", ")}; the others are read`);
    for (const client of [member, reader]) client.topics.trackAll(...topology.topics.keys());
    if (!ending.aborted) await unlessEnded(member.joinGroup({}));
    timers.push(setInterval(() => void places.commit(), COMMIT_MS));
    timers.push(setInterval(fetching.pump, PUMP_MS));
    const lookAround = () => look().then(() => places.readEnds(cluster));
    timers.push(setInterval(() => void lookAround().catch(() => undefined), LOOK_MS));
    await ended;
  } catch (error) {
    throw clients.explain(error);
  } finally {
    for (const timer of timers) clearInterval(timer);
    over.abort(new Error("the session is over"));
    await Promise.race([dividing, sleep(CLOSE_MS)]);
    const held = [...lanes.values()];
    await Promise.all(held.map((lane) => lane.stop()));
    await Promise.race([places.commit().then(clients.close), sleep(CLOSE_MS)]);
    lanes.clear();
  }
}
