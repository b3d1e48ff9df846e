import type { Bus } from "@fnbus/bus";
import { subjects } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import { toJobId } from "./core/callback-reference.ts";
import { createEndpoints, type Endpoints } from "./core/endpoints.ts";
import { createOpenCallbacks, type OpenCallback, type OpenCallbacks } from "./core/open-callbacks.ts";
import { every } from "./every.ts";
import { followPartition } from "./following.ts";
import { answerQuestions } from "./in/questions.ts";
import { redrive } from "./in/redrive.ts";
import { type KeeperPosition, positionOf, readKeeperState, saveKeeperState } from "./keeper-state.ts";
import { createAdding } from "./out/adding.ts";
import type { Contents } from "./out/contents.ts";
import type { Copies } from "./out/copies.ts";
import { copyOldest } from "./out/copying.ts";
import type { Jobs } from "./out/jobs.ts";
import { reconcile } from "./out/reconciling.ts";
import type { Records } from "./out/records.ts";
import { isHalfFull, readOpenCopies, sweepGivenUp } from "./out/storage.ts";

export interface KeepingPorts {
  bus: Bus;
  logger: Logger;
  jobs: Jobs;
  contents: Contents;
  copies: Copies;
  records: Records;
  partitions: readonly number[];
  pauseAfterMs: number;
  copyAfterMs: number;
  reconcileMs: number;
  /** The lease stands: without it nothing is copied. */
  isSafe(): boolean;
}

/** What the one keeper of a platform knows of its callbacks. */
export interface Keeping {
  open: OpenCallbacks;
  endpoints: Endpoints;
  waitsFor(): string | undefined;
  stop(): Promise<void>;
}

const SECOND = 1_000;
const SAVE_MS = 5_000;
const SWEEP_MS = 3_600_000;
const MAX_HOSTS = 10_000;
const PROMOTE_AT_ONCE = 50;

/**
 * Keeps account of open callbacks: follows both logs, gives Redis its jobs, announces low marks, copies what stands in the way,
 * looks for what was lost, answers operators. Resolves when it knows what is open.
 */
export async function startKeeping(ports: KeepingPorts): Promise<Keeping> {
  const { bus, logger, jobs, copies, partitions } = ports;
  const state = await readKeeperState(bus);
  const open = createOpenCallbacks();
  const endpoints = createEndpoints({ pauseAfterMs: ports.pauseAfterMs, maxHosts: MAX_HOSTS }, state.endpoints);
  let isKnown = false;
  const adding = createAdding(open, jobs, logger);
  const adder = every(SECOND, logger, "adding callbacks to Redis", async () => {
    if (isKnown) await adding.work();
  });
  /** Copies of what has ended, with the place of the end: RECORDS is read again from there until they are dropped. */
  const drops = new Map<string, { partition: number; record: number; kinds: ("open" | "given-up")[] }>();

  await readOpenCopies(copies, ({ reference, afterRecord }) =>
    open.open({ ...reference, afterRecord, copied: true, hasJob: false, dueAt: Date.now() }),
  );
  const onEnd = (record: number, callback: OpenCallback, how: "delivered" | "given-up"): void => {
    if (!callback.copied) return;
    const kinds: ("open" | "given-up")[] =
      how === "delivered" && callback.redrive > 0 ? ["open", "given-up"] : ["open"];
    drops.set(callback.id, { partition: callback.partition, record, kinds });
  };
  const following = await Promise.all(
    partitions.map(async (partition) =>
      followPartition(partition, await positionOf(bus, state, partition), {
        ...ports,
        open,
        endpoints,
        onOutcomes: adder.now,
        onEnd,
      }),
    ),
  );
  isKnown = true;
  adder.now();

  const announce = (): void => {
    const paused = endpoints.paused();
    for (const partition of partitions) {
      const announcement = { partition, lowMark: open.lowMark(partition), paused };
      bus.publish(subjects.announceCallbacks(partition), Buffer.from(JSON.stringify(announcement)));
    }
  };

  const positionFor = (follower: (typeof following)[number]): KeeperPosition => {
    const position = follower.position();
    for (const drop of drops.values())
      if (drop.partition === follower.partition) position.records = Math.min(position.records, drop.record - 1);
    return position;
  };
  let saved = "";
  async function save(): Promise<void> {
    const positions = Object.fromEntries(following.map((follower) => [follower.partition, positionFor(follower)]));
    const next = { partitions: positions, endpoints: endpoints.all() };
    if (JSON.stringify(next) === saved || !ports.isSafe()) return;
    await saveKeeperState(bus, next);
    saved = JSON.stringify(next);
  }

  async function copyAndDrop(): Promise<void> {
    if (!ports.isSafe()) return;
    for (const [id, { partition, kinds }] of drops) {
      for (const kind of kinds) await copies.drop(kind, partition, id);
      drops.delete(id);
    }
    for (const partition of partitions) {
      const isFull = await isHalfFull(bus, partition);
      await copyOldest(partition, { ...ports, open }, (since) => isFull || Date.now() - since > ports.copyAfterMs);
    }
  }

  /** Wakes what waits for a host, once all replicas have heard that it is no longer paused. */
  async function resume(host: string): Promise<void> {
    if (!endpoints.resume(host)) return;
    announce();
    const waiting = [...open.all()].filter((callback) => callback.host === host).map(toJobId);
    for (let at = 0; at < waiting.length; at += PROMOTE_AT_ONCE)
      await Promise.all(waiting.slice(at, at + PROMOTE_AT_ONCE).map(jobs.promote));
    logger.info({ host, callbacks: waiting.length }, "callbacks to this host go on");
  }

  const questions = answerQuestions(bus, {
    resume,
    redrive: (space, id) => redrive({ ...ports, open, onOpened: adder.now }, space, id),
    endpoints: () =>
      endpoints.all().map(({ host, pausedAt, failingSince, goneAt }) => ({
        host,
        paused: pausedAt !== undefined,
        open: open.openAt(host),
        ...(failingSince === undefined ? {} : { failingSince }),
        ...(goneAt === undefined ? {} : { note: "it answered 410 Gone" }),
      })),
  });
  const loops = [
    adder,
    every(SECOND, logger, "announcing the callbacks' low marks", announce),
    every(SECOND, logger, "copying open callbacks", copyAndDrop),
    every(SAVE_MS, logger, "saving the keeper's positions", save),
    every(SWEEP_MS, logger, "sweeping given-up callbacks", () => sweepGivenUp(copies, Date.now())),
    every(ports.reconcileMs, logger, "looking for lost callbacks", async () => {
      const lost = await reconcile(open, jobs, Date.now(), ports.reconcileMs / 2);
      if (lost > 0) logger.warn({ lost }, "jobs of open callbacks were lost: made anew");
      adder.now();
    }),
  ];
  return {
    open,
    endpoints,
    waitsFor: () => adding.waitsFor,
    async stop() {
      questions.unsubscribe();
      await Promise.all(loops.map((loop) => loop.stop()));
      await Promise.all(following.map((follower) => follower.stop()));
      await save().catch((error: unknown) => logger.warn({ err: error }, "the keeper's positions were not saved"));
    },
  };
}
