import type { Bus, Subscription } from "@fnbus/bus";
import { buckets, type RegisteredFunction, streams } from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";
import type { Logger } from "@fnbus/telemetry";
import { type Doors, perform } from "./app-actions.ts";
import { startHousekeeping } from "./app-housekeeping.ts";
import { openQuestions } from "./app-look-up.ts";
import { createCancels } from "./cancels.ts";
import { type LedgerConfig, packBytesFor } from "./config.ts";
import { type Core, type CoreView, checkpointSegments, createCore } from "./core/index.ts";
import { createDriver } from "./driver.ts";
import type { FrameCache } from "./envelopes/cache.ts";
import { dropUnneeded } from "./envelopes/caching.ts";
import { createFrames } from "./envelopes/frames.ts";
import { createBrokerClock } from "./in/broker-clock.ts";
import { readFills } from "./in/fills.ts";
import { followFunctions } from "./in/functions.ts";
import { readLogs } from "./in/logs.ts";
import { createOwnership } from "./in/ownership.ts";
import { subscribePeers } from "./in/peers.ts";
import type { LedgerMetrics } from "./metrics.ts";
import { ANNOUNCE_EVERY_MS, announceLedger, toLedgerAnnouncement } from "./out/announcer.ts";
import { createCheckpoints, readCheckpoints } from "./out/checkpoints.ts";
import { createComposer } from "./out/compose.ts";
import { createOutcomes } from "./out/outcomes.ts";
import { createParked, isFull } from "./out/parked.ts";
import { createRecords } from "./out/records.ts";
import { outcomesToKeep } from "./out/retention.ts";
import { createWorkSender } from "./out/work.ts";
import type { Projection } from "./projection/projection.ts";

const HOUR_MS = 3_600_000;
const TICK_MS = 100;
const TAIL_RETRY_MS = 200;

export interface PartitionParts {
  partition: number;
  /** Name of this process: holder of the lease. */
  owner: string;
  bus: Bus;
  registry: RegistryIndex;
  projection: Projection;
  cache: FrameCache;
  config: LedgerConfig;
  metrics: LedgerMetrics;
  logger: Logger;
  /** The state lacks messages that were trimmed before they were read: the partition is to be built anew. */
  onGap(): void;
}

export interface Partition {
  view: CoreView;
  /** Messages of both logs that were stored a second ago and are not read here. */
  lag(): { invocations: number; outcomes: number };
  isOwner(): boolean;
  stop(): Promise<void>;
}

/** Follows one partition, and owns it while the lease is this process's (L19). Resolves when both logs are being read. */
export async function startPartition(parts: PartitionParts): Promise<Partition> {
  const { partition, owner, bus, registry, projection, cache, config, metrics, logger } = parts;
  const stopping = new AbortController();
  const core = await restoreCore(parts);
  const checkpointStore = await bus.objects(buckets.checkpoints);
  const clock = createBrokerClock(
    () => performance.now(),
    () => Date.now(),
  );
  const driver = createDriver(
    core,
    () => ({ mono: performance.now(), broker: Math.round(clock.now()), leaseSafe: ownership.isSafe() }),
    (action) => perform(doors, action),
  );
  const { view, apply } = driver;
  const failed = (error: unknown) => {
    if (!stopping.signal.aborted) logger.warn({ err: error, partition }, "an operation on the bus failed");
  };
  const records = createRecords(bus, partition, clock.now, (record, error) =>
    logger.error({ err: error, record }, "a give-up could not be recorded"),
  );
  const giveUp = (what: string, reason: string, about: { id?: string; details?: Record<string, unknown> }) => {
    metrics.gaveUp(what);
    records.giveUp(what, reason, about);
  };

  const frames = createFrames(bus, partition, cache);
  const parked = createParked(bus, partition, frames, { apply, failed });
  const composer = createComposer({
    frames,
    functionById: (id): RegisteredFunction | undefined => registry.functionById(id),
    acceptedAt(id) {
      const found = view.find(id);
      return found && "acceptedAt" in found ? found.acceptedAt : undefined;
    },
    async keepDeadLetter(id, place, frame) {
      try {
        return await parked.keep(id, frame);
      } catch (error) {
        if (!isFull(error)) throw error;
        giveUp("dead-letter", "PARKED is full: its envelope is not kept for a redrive", { id });
        return place;
      }
    },
  });
  const outcomes = createOutcomes(bus, partition, composer, { apply, appended: metrics.appended, notStored: failed });
  const questions = openQuestions(parts, { view, frames, ask: (id) => cancels.ask(id), reached, failed });
  const ownership = createOwnership(bus, partition, owner, config.FNBUS_LEDGER_LEASE_MS, {
    epoch: () => view.epoch,
    failed,
    apply(event) {
      if (event.type === "lease-gained") {
        logger.info({ partition }, "owner of the partition");
        questions.open();
      } else {
        logger.info({ partition }, "no longer owner of the partition");
        questions.close();
      }
      apply(event);
    },
  });
  const cancels = createCancels(apply);
  const doors: Doors = {
    bus,
    partition,
    outcomes,
    work: createWorkSender(bus, frames, { apply, failed }),
    parked,
    checkpoints: createCheckpoints(checkpointStore, partition, { apply, failed }),
    ownership,
    cancels,
    apply,
    failed,
    async readTail() {
      for (;;) {
        try {
          const { last } = await bus.streamState(streams.outcomes(partition));
          if (await logs.reached({ invocations: 0, outcomes: last }, stopping.signal)) return last;
        } catch (error) {
          if (stopping.signal.aborted) throw error;
        }
        stopping.signal.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, TAIL_RETRY_MS));
      }
    },
    alarm({ what, details }) {
      logger.error({ partition, what, ...details }, "the ledger needs attention");
      metrics.alarm(what);
      if (what === "log-gap") parts.onGap();
    },
  };

  const stopFunctions = followFunctions(registry, config.FNBUS_FUNCTION_BACKLOG, apply);
  const logs = await readLogs(bus, partition, {
    apply,
    view,
    saw: clock.saw,
    // Before the core judges a pack, for it may hand out its frames at once.
    invocationsRead: cache.add,
    invocationsTaken(sequence, heads, droppedAny) {
      if (droppedAny || view.phase !== "owning") dropUnneeded(cache, view, sequence, heads);
    },
    outcomesTaken({ sequence, entries }, isOwn) {
      for (const { meta, body } of entries) {
        if (meta.type === "attempt" && meta.how === "lost" && isOwn) metrics.attemptLost();
        if (meta.type !== "outcome") continue;
        if (meta.place.stream === "invocations") cache.delete(meta.place.sequence, meta.place.index);
        questions.ended(meta, body.length, sequence);
      }
    },
    takeOwn: outcomes.takeOwn,
    damaged(stream, sequence, error) {
      logger.error({ err: error, stream, sequence }, "a message cannot be read and is passed over");
      if (ownership.isOwner())
        giveUp("message", "cannot be read", { details: { stream, sequence, error: (error as Error).message } });
    },
  });
  function reached(sequences: { invocations: number; outcomes: number }, signal: AbortSignal) {
    return logs.reached(sequences, signal);
  }

  const leases = await bus.keyValue(buckets.leases);
  const leaseWatch = await leases.watch(({ at }) => clock.saw(at));
  let callbacksMark: number | undefined;
  const subscriptions: Subscription[] = subscribePeers(bus, partition, {
    apply(event) {
      if (event.type === "callbacks-mark") callbacksMark = event.from;
      apply(event);
    },
    isOwner: ownership.isOwner,
    damaged: (subject, error) => logger.warn({ err: error, subject }, "a message that cannot be read is dropped"),
  });
  apply({ type: "connection", connected: bus.isConnected() });
  const stopStatus = bus.onStatus((status) => apply({ type: "connection", connected: status === "connected" }));
  let ends = logs.fed();
  const tellFills = (fills: Awaited<ReturnType<typeof readFills>>) => {
    const { invocations, outcomes: decided } = fills;
    ends = { invocations: invocations.first > invocations.last ? 0 : invocations.last, outcomes: decided.last };
    const from = Math.min(projection.positions().outcomes + 1, outcomesToKeep(fills.outcomes));
    apply({ type: "projection-mark", from });
    apply(fills);
  };
  const ticking = setInterval(() => apply({ type: "tick" }), TICK_MS);
  const announcing = setInterval(() => {
    try {
      if (ownership.isOwner()) announceLedger(bus, toLedgerAnnouncement(view, partition, owner));
    } catch (error) {
      failed(error);
    }
    if (bus.isConnected()) readFills(bus, partition).then(tellFills, failed);
  }, ANNOUNCE_EVERY_MS);
  const stopHousekeeping = startHousekeeping({
    bus,
    partition,
    view,
    projection,
    now: clock.now,
    keepRecordsMs: config.FNBUS_KEEP_HOURS * HOUR_MS,
    keepDeadLettersMs: config.FNBUS_DEAD_LETTER_HOURS * HOUR_MS,
    callbacksMark: () => callbacksMark,
    gaveUp: (reason, details) => giveUp("dead-letters", reason, { details }),
    failed,
  });
  metrics.watch(partition, view, clock.now);
  ownership.start();

  return {
    view,
    isOwner: ownership.isOwner,
    lag: () => ({
      invocations: Math.max(0, ends.invocations - logs.fed().invocations),
      outcomes: Math.max(0, ends.outcomes - logs.fed().outcomes),
    }),
    async stop() {
      stopping.abort();
      questions.close();
      await ownership.stop();
      for (const timer of [ticking, announcing]) clearInterval(timer);
      for (const subscription of subscriptions) subscription.unsubscribe();
      for (const stop of [stopFunctions, stopStatus, stopHousekeeping]) stop();
      leaseWatch.stop();
      await logs.stop();
    },
  };
}

/** The furthest checkpoint from which the logs still hold everything, else the start of the logs (L4, L7). */
async function restoreCore({ bus, partition, config, logger, metrics }: PartitionParts): Promise<Core> {
  const [invocations, outcomes] = await Promise.all([
    bus.streamState(streams.invocations(partition)),
    bus.streamState(streams.outcomes(partition)),
  ]);
  const options = {
    partition,
    logs: { invocations, outcomes },
    limits: {
      executorLeaseMs: config.FNBUS_EXECUTOR_LEASE_MS,
      keptWindowMs: config.FNBUS_KEY_WINDOW_HOURS * HOUR_MS,
      unfinished: config.FNBUS_BACKLOG,
      marks: config.FNBUS_MARKS,
      markRetentionMs: config.FNBUS_MARK_DAYS * 24 * HOUR_MS,
      packBytes: packBytesFor(bus.maxPayload),
    },
  };
  const store = await bus.objects(buckets.checkpoints);
  for await (const checkpoint of readCheckpoints(store, partition, checkpointSegments)) {
    const core = createCore({ ...options, checkpoint });
    const next = core.view.next();
    if (next.invocations >= invocations.first && next.outcomes >= outcomes.first) return core;
  }
  if (invocations.first > 1 || outcomes.first > 1) {
    logger.error({ partition }, "the logs were trimmed, and no checkpoint covers what is gone: reading what is left");
    metrics.alarm("no-checkpoint");
  }
  return createCore(options);
}
