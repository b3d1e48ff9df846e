import { subjects } from "@fnbus/contract";
import { createCallbackGuard } from "@fnbus/guard";
import type { RunningService, ServiceContext } from "@fnbus/service";
import { deriveSpaceSecret } from "@fnbus/signing";
import type { Static } from "typebox";
import type { Config } from "./config.ts";
import { createHostGate } from "./core/host-gate.ts";
import { parseDuration, parseSchedule } from "./core/schedule.ts";
import { every } from "./every.ts";
import { createDeliveries } from "./in/deliveries.ts";
import { createDelivery } from "./in/delivery.ts";
import { followPauses } from "./in/pauses.ts";
import { createSeries } from "./in/series.ts";
import { createTurns } from "./in/turns.ts";
import { startKeeper } from "./keeper.ts";
import { createMeters } from "./meters.ts";
import { createCallbacks } from "./out/callbacks.ts";
import { createContents } from "./out/contents.ts";
import { createCopies } from "./out/copies.ts";
import { createJobs } from "./out/jobs.ts";
import { createRecords } from "./out/records.ts";
import { connectFailingFast, connectForEver, PREFIX, QUEUE } from "./out/redis.ts";

/** The longest that a callback waits in place for a turn at its host, holding one of the places of all. */
const TURN_WAIT_MS = 250;
/** First tries of one message are begun together, so few messages a host at once. */
const SERIES_PER_HOST = 8;
const MAX_HOSTS = 10_000;
const MAX_SPACES = 10_000;
const WATCH_MS = 10_000;
/** On top of one try: its record and its job. */
const CLOSE_MARGIN_MS = 3_000;

/** Starts sending callbacks, and stands by to keep account of them. */
export async function startCallbackDispatcher(
  context: ServiceContext<Readonly<Static<typeof Config>>>,
): Promise<RunningService> {
  const { bus, config, logger } = context;
  const partitions = Array.from({ length: config.FNBUS_PARTITIONS }, (_, partition) => partition);
  const guard = createCallbackGuard(config);
  const perHost = Math.min(config.FNBUS_CALLBACK_PER_HOST, config.FNBUS_CALLBACK_CONCURRENCY);
  const jobs = createJobs(connectFailingFast(config.REDIS_URL, logger));
  const copies = await createCopies(bus);
  const contents = createContents(bus, copies);
  const records = createRecords(bus, logger);
  const callbacks = createCallbacks(guard, { timeoutMs: config.FNBUS_CALLBACK_TIMEOUT_MS, perHost });
  const gate = createHostGate({ perHost, waitMs: TURN_WAIT_MS, maxHosts: MAX_HOSTS });
  const pauses = followPauses(bus, partitions.map(subjects.announceCallbacks));
  const masters = [config.FNBUS_SIGNING_SECRET, config.FNBUS_SIGNING_SECRET_PREVIOUS].filter((text) => text !== "");

  const keeper = startKeeper({
    bus,
    logger,
    jobs,
    contents,
    copies,
    records,
    partitions,
    pauseAfterMs: parseDuration(config.FNBUS_CALLBACK_PAUSE_AFTER),
    copyAfterMs: parseDuration(config.FNBUS_CALLBACK_COPY_AFTER),
    reconcileMs: parseDuration(config.FNBUS_CALLBACK_RECONCILE),
  });
  const meters = createMeters(context.metrics, { gate, keeping: () => keeper.keeping });
  /** One that is not woken (Redis is away, or it has gone on) comes at its time. */
  const wake = (jobId: string): void => void jobs.promote(jobId).catch(() => {});
  const ownTurns = createTurns(gate, TURN_WAIT_MS, wake);
  const deliver = createDelivery({
    contents,
    callbacks,
    records,
    copies,
    logger,
    turns: ownTurns,
    schedule: parseSchedule(config.FNBUS_CALLBACK_SCHEDULE),
    maxAgeMs: parseDuration(config.FNBUS_CALLBACK_MAX_AGE),
    isPaused: pauses.isPaused,
    secretsOf: createSecrets(masters),
    onTry: meters.onTry,
  });
  const seriesGate = createHostGate({ perHost: SERIES_PER_HOST, waitMs: TURN_WAIT_MS, maxHosts: MAX_HOSTS });
  const seriesTurns = createTurns(seriesGate, TURN_WAIT_MS, wake);
  const series = createSeries({
    concurrency: config.FNBUS_CALLBACK_CONCURRENCY,
    turns: seriesTurns,
    ownTurns,
    jobs,
    deliver,
  });
  const deliveries = createDeliveries({
    queue: QUEUE,
    prefix: PREFIX,
    redis: connectForEver(config.REDIS_URL, logger),
    concurrency: config.FNBUS_CALLBACK_CONCURRENCY,
    timeoutMs: config.FNBUS_CALLBACK_TIMEOUT_MS,
    logger,
    jobs,
    deliver,
    series,
    seriesTurns,
    ownTurns,
  });
  const watchdog = every(WATCH_MS, logger, "watching the callback worker", async () => {
    if ((await deliveries.watch()) === "works") return;
    // Outside of what is caught, so that it ends the process (RELIABILITY.md 2.6): a new one begins with everything anew.
    setImmediate(() => {
      throw new Error("the callback worker takes no work, and a new one does not either");
    });
  });

  return {
    async stop() {
      await watchdog.stop();
      await keeper.stop();
      await deliveries.close(config.FNBUS_CALLBACK_TIMEOUT_MS + CLOSE_MARGIN_MS);
      await records.close();
      await Promise.all([callbacks.close(), jobs.close()]);
      pauses.stop();
    },
    notReady() {
      const waitsFor = jobs.isUp() ? keeper.keeping?.waitsFor() : "Redis";
      return waitsFor === undefined ? [] : [`waits for ${waitsFor}`];
    },
    health: () => ({
      keeps: keeper.keeping !== undefined,
      open: keeper.keeping?.open.size,
      active: deliveries.active,
      pausedHosts: keeper.keeping?.endpoints.paused(),
    }),
  };
}

/** A space's secrets under each master secret, newest first, derived once. */
function createSecrets(masters: readonly string[]): (space: string) => string[] {
  const known = new Map<string, string[]>();
  return (space) => {
    const secrets = known.get(space) ?? masters.map((master) => deriveSpaceSecret(master, space));
    if (known.size >= MAX_SPACES) known.clear();
    known.set(space, secrets);
    return secrets;
  };
}
