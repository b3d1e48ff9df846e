import type { Logger } from "@fnbus/telemetry";
import { DelayedError, type Job, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { type CallbackReference, toJobId } from "../core/callback-reference.ts";
import type { JobData, Jobs } from "../out/jobs.ts";
import type { Next } from "./delivery.ts";
import type { Series } from "./series.ts";
import type { Turns } from "./turns.ts";

export interface DeliveriesOptions {
  queue: string;
  prefix: string;
  redis: Redis;
  concurrency: number;
  /** The longest that one try takes. */
  timeoutMs: number;
  logger: Logger;
  jobs: Jobs;
  deliver(reference: CallbackReference): Promise<Next>;
  series: Series;
  /** Where jobs that got no turn are put off: of series, and of single callbacks. */
  seriesTurns: Pick<Turns, "putOff">;
  ownTurns: Pick<Turns, "putOff">;
}

/** The worker that takes callbacks when they are due. */
export interface Deliveries {
  readonly active: number;
  /** Looks whether the worker stands still although there is work, and makes it anew. `stuck`: that did not help. */
  watch(): Promise<"stuck" | "works">;
  /** Takes no more; waits for those on their way, but no longer than this. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * A lock outlasts the longest try, so that none is begun twice although its worker lives, and little more: it is what a callback
 * waits for when its worker was killed. BullMQ renews it at its half.
 */
const LOCK_MARGIN_MS = 1_000;
const STALLED_CHECK_MS = 4_000;
/** BullMQ's own limit of 1 would fail a callback after two deaths of its worker (RELIABILITY.md, fact 7). */
const MAX_STALLED = 1_000_000;
/** Looks in a row at a worker that does nothing while there is work, and new workers in a row, that are too many. */
const IDLE_LOOKS = 3;
const NEW_WORKERS = 3;

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { jobs, logger, series } = options;
  let active = 0;
  let idleLooks = 0;
  let newWorkers = 0;

  async function process(job: Job<JobData>, token?: string): Promise<void> {
    active++;
    try {
      const [first] = job.data.callbacks;
      if (first && job.id === toJobId(first)) await deliverOne(job, first, token);
      else await deliverSeries(job, token);
    } finally {
      active--;
    }
  }

  async function deliverOne(job: Job<JobData>, reference: CallbackReference, token?: string): Promise<void> {
    const next = await options.deliver(reference);
    if (next === "ended") return;
    if (next.attempts !== reference.attempts)
      await job.updateData({ callbacks: [{ ...reference, attempts: next.attempts }] });
    await job.moveToDelayed(next.atMs, token);
    if (next.noTurn) options.ownTurns.putOff(reference.host, job.id!);
    throw new DelayedError();
  }

  async function deliverSeries(job: Job<JobData>, token?: string): Promise<void> {
    const { callbacks } = job.data;
    const later = await series.deliver(job.id!, callbacks);
    if (!later) return;
    await job.moveToDelayed(later.atMs, token);
    options.seriesTurns.putOff(callbacks[0]?.host ?? "", job.id!);
    throw new DelayedError();
  }

  function start(): Worker<JobData> {
    const worker = new Worker<JobData>(options.queue, process, {
      connection: options.redis,
      prefix: options.prefix,
      concurrency: options.concurrency,
      lockDuration: options.timeoutMs + LOCK_MARGIN_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED,
      drainDelay: 5,
      runRetryDelay: 1_000,
    });
    worker.on("error", (error) => logger.debug({ err: error }, "callback worker"));
    worker.on("failed", (job, error) =>
      logger.error({ err: error, job: job?.id }, "a callback could not be handled: again"),
    );
    return worker;
  }
  let worker = start();

  return {
    get active() {
      return active;
    },
    async watch() {
      if (active > 0 || options.redis.status !== "ready" || (await jobs.counts()).waiting === 0) {
        idleLooks = 0;
        if (active > 0) newWorkers = 0;
        return "works";
      }
      if (++idleLooks < IDLE_LOOKS) return "works";
      idleLooks = 0;
      if (++newWorkers > NEW_WORKERS) return "stuck";
      logger.warn("the callback worker takes no work: a new one");
      const old = worker;
      worker = start();
      await old.close(true);
      return "works";
    },
    async close(deadlineMs) {
      series.stop();
      const deadline = Promise.withResolvers<void>();
      // Without Redis nothing can be handed back: the locks of what is on its way run out.
      const timer = setTimeout(deadline.resolve, options.redis.status === "ready" ? deadlineMs : 0);
      await Promise.race([worker.close(), deadline.promise]);
      clearTimeout(timer);
      options.redis.disconnect();
    },
  };
}
