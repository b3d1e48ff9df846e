import type { Logger } from "@fnbus/telemetry";
import { DelayedError, type Job, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { CallbackReference } from "../core/callback-reference.ts";
import type { Next } from "./delivery.ts";

export interface DeliveriesOptions {
  queue: string;
  prefix: string;
  redis: Redis;
  concurrency: number;
  logger: Logger;
  deliver(reference: CallbackReference): Promise<Next>;
  /** Jobs that could start now, for the watchdog. */
  waiting(): Promise<number>;
}

/** The worker that takes callbacks when they are due. */
export interface Deliveries {
  readonly active: number;
  /** Looks whether the worker stands still although there is work, and makes it anew. Throws when that did not help. */
  watch(): Promise<void>;
  /** Takes no more; waits for those on their way, but no longer than this. */
  close(deadlineMs: number): Promise<void>;
}

/** Half of the lock is more than one try can take, so that no try is begun twice while its worker lives. */
const LOCK_MS = 60_000;
const STALLED_CHECK_MS = 10_000;
/** BullMQ's own limit of 1 would fail a callback after two deaths of its worker (RELIABILITY.md, fact 7). */
const MAX_STALLED = 1_000_000;
/** Looks in a row at a worker that does nothing while there is work, and new workers in a row, that are too many. */
const IDLE_LOOKS = 3;
const NEW_WORKERS = 3;

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  let active = 0;
  let idleLooks = 0;
  let newWorkers = 0;

  async function process(job: Job<CallbackReference>, token?: string): Promise<void> {
    active++;
    try {
      const next = await options.deliver(job.data);
      if (next === "ended") return;
      if (next.attempts !== job.data.attempts) await job.updateData({ ...job.data, attempts: next.attempts });
      await job.moveToDelayed(next.atMs, token);
      throw new DelayedError();
    } finally {
      active--;
    }
  }

  function start(): Worker<CallbackReference> {
    const worker = new Worker<CallbackReference>(options.queue, process, {
      connection: options.redis,
      prefix: options.prefix,
      concurrency: options.concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED,
      drainDelay: 5,
      runRetryDelay: 1_000,
    });
    worker.on("error", (error) => options.logger.debug({ err: error }, "callback worker"));
    worker.on("failed", (job, error) =>
      options.logger.error({ err: error, job: job?.id }, "a callback could not be handled: again"),
    );
    return worker;
  }
  let worker = start();

  return {
    get active() {
      return active;
    },
    async watch() {
      if (active > 0 || options.redis.status !== "ready" || (await options.waiting()) === 0) {
        idleLooks = 0;
        if (active > 0) newWorkers = 0;
        return;
      }
      if (++idleLooks < IDLE_LOOKS) return;
      idleLooks = 0;
      if (++newWorkers > NEW_WORKERS)
        throw new Error("the callback worker takes no work, and a new one does not either");
      options.logger.warn("the callback worker takes no work: a new one");
      const old = worker;
      worker = start();
      await old.close(true);
    },
    async close(deadlineMs) {
      const deadline = Promise.withResolvers<void>();
      // Without Redis nothing can be handed back: the locks of what is on its way run out.
      const timer = setTimeout(deadline.resolve, options.redis.status === "ready" ? deadlineMs : 0);
      await Promise.race([worker.close(), deadline.promise]);
      clearTimeout(timer);
      options.redis.disconnect();
    },
  };
}
