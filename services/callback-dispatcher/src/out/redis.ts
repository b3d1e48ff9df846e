import type { Logger } from "@fnbus/telemetry";
import { Redis } from "ioredis";

/** Names of the queue in Redis. */
export const QUEUE = "callbacks";
export const PREFIX = "fnbus";
/** BullMQ's own back-off goes to 20 s: after an outage callbacks would stand still for that long (RELIABILITY.md 2.6). */
const MAX_RECONNECT_MS = 2_000;
const COMMAND_TIMEOUT_MS = 2_000;

const reconnect = (times: number): number =>
  Math.min(100 * 2 ** Math.min(times, 6), MAX_RECONNECT_MS) + Math.random() * 100;

interface Patience {
  enableOfflineQueue?: boolean;
  maxRetriesPerRequest: number | null;
  commandTimeout?: number;
}

function connect(url: string, logger: Logger, options: Patience): Redis {
  const redis = new Redis(url, { connectTimeout: 5_000, retryStrategy: reconnect, ...options });
  let isDown = false;
  redis.on("error", (error) => {
    if (!isDown) logger.warn({ err: error }, "Redis is away: callbacks wait in the log");
    isDown = true;
  });
  redis.on("ready", () => {
    if (isDown) logger.info("Redis is back");
    isDown = false;
  });
  return redis;
}

/** For adding jobs: fails at once while Redis is away, so that nothing waits unseen in this process. */
export const connectFailingFast = (url: string, logger: Logger): Redis =>
  connect(url, logger, { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: COMMAND_TIMEOUT_MS });

/** For the worker: never gives up. */
export const connectForEver = (url: string, logger: Logger): Redis =>
  connect(url, logger, { maxRetriesPerRequest: null });
