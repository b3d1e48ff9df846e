import { lastOf, readAt } from "./broker.ts";
import { after, createProcess, every, type Process, send } from "./process.ts";
import type { World } from "./world.ts";

/** callback-dispatcher by the rules of L26, with a Redis that forgets. */
export interface SimulatedDispatcher {
  process: Process;
  start(): void;
  forgetRedis(): void;
  /** Callbacks that are open when all should be over. */
  open(): number;
}

/** A callback that is open so long is copied to the dispatcher's own store, tried or not. */
const COPY_AFTER_MS = 10_000;

export function createDispatcher(world: World): SimulatedDispatcher {
  const { random, timeline, truth } = world;
  const process = createProcess("dispatcher");
  const redis = new Set<string>();
  /** What is durable: ends on RECORDS, copies in its store, and where it reads on. */
  const ended = new Set<string>();
  const copies = new Map<string, number>();
  const openAt = new Map<string, { sequence: number; at: number }>();
  let next = 1;

  function addJob(id: string): void {
    if (redis.has(id) || ended.has(id)) return;
    redis.add(id);
    deliver(id);
  }

  function deliver(id: string): void {
    after(world, process, random.between(10, random.chance(0.1) ? 15_000 : 500), () => {
      if (!redis.has(id) || ended.has(id)) return;
      if (random.chance(0.2) && !world.closing) return deliver(id);
      redis.delete(id);
      ended.add(id);
      openAt.delete(id);
      copies.delete(id);
    });
  }

  function read(): void {
    if (world.broker.away || !process.connected) return;
    if (next < world.outcomes.first)
      truth.fail(`L26: outcomes below ${world.outcomes.first} are trimmed, ${next} was not read`);
    for (; next <= lastOf(world.outcomes); next++) {
      for (const record of readAt(world.outcomes, next)!.data.records) {
        if (record.type !== "outcome" || record.callbackUrl === undefined) continue;
        openAt.set(record.id, { sequence: next, at: timeline.now });
        addJob(record.id);
      }
    }
  }

  /** Lists what is open from the logs and the copies, and creates the jobs that Redis lost. */
  function reconcile(): void {
    if (world.broker.away || !process.connected) return;
    for (const [id, { sequence, at }] of openAt) {
      if (!copies.has(id)) {
        if (sequence < world.outcomes.first)
          truth.fail(`L26: ${id} waits for its callback, and its outcome is trimmed`);
        if (timeline.now - at > COPY_AFTER_MS) copies.set(id, sequence);
      }
      addJob(id);
    }
  }

  function start(): void {
    process.alive = true;
    redis.clear();
    every(world, process, 300, read);
    every(world, process, 4_000, reconcile);
    every(world, process, 1_000, () => {
      let from = next;
      for (const [id, { sequence }] of openAt) if (!copies.has(id)) from = Math.min(from, sequence);
      for (const { process: replica, apply } of world.replicas) {
        send(world, process, replica, () => apply({ type: "callbacks-mark", from }));
      }
    });
  }

  start();
  return {
    process,
    start,
    forgetRedis: () => redis.clear(),
    open: () => openAt.size,
  };
}
