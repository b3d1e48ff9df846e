import { createInbox, type Msg, nanos } from "@nats-io/transport-node";
import type { Core } from "./core.ts";
import { raise } from "./errors.ts";
import { toInboxPrefix } from "./first-connection.ts";
import { type Delivered, toDelivered } from "./messages.ts";

/** One life of a pull consumer: from the first pull until something is wrong with it. */
export interface PullOptions {
  stream: string;
  consumer: string;
  /** Messages asked for at once. */
  batch: number;
  name: string;
  /** Gets what has arrived, and is awaited before it gets more. */
  onBatch(batch: Delivered[]): Promise<void>;
  signal: AbortSignal;
}

const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 2_000;
/** Without a message or heartbeat for this long the consumer is taken for lost (its server died, or forgot it). */
const SILENCE_MS = 5_000;
/** Bytes asked for at once; two pulls at most are held (one handed over, one arriving). */
const PULL_BYTES = 16 * 1024 * 1024;

const STATUS = { heartbeat: 100, nothing: 404, expired: 408, conflict: 409 };

/**
 * Pulls until the consumer is lost, the connection is, or `signal` is aborted. One pull stands at a time: the next is
 * sent when the last message of one has arrived, so what is buffered is bounded (I11).
 */
export function pullUntilLost(core: Core, options: PullOptions): Promise<void> {
  const { connection, outgoing } = core;
  const { stream, consumer, batch, signal } = options;
  const inbox = createInbox(toInboxPrefix(options.name));
  const request = Buffer.from(
    JSON.stringify({
      batch,
      max_bytes: Math.max(PULL_BYTES, connection.server().maxPayload * 2),
      expires: nanos(EXPIRES_MS),
      idle_heartbeat: nanos(HEARTBEAT_MS),
    }),
  );
  return new Promise((resolve) => {
    let arrived: Delivered[] = [];
    let open = 0;
    let handing = false;
    let heardAt = performance.now();
    let over = false;

    const end = () => {
      if (over) return;
      over = true;
      clearInterval(watch);
      offStatus();
      signal.removeEventListener("abort", end);
      subscription.unsubscribe();
      if (!handing) resolve();
    };
    const pull = () => {
      open = batch;
      try {
        outgoing.send(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, request, inbox);
      } catch {
        end();
      }
    };
    const hand = async () => {
      handing = true;
      while (arrived.length > 0 && !over) {
        const handed = arrived;
        arrived = [];
        if (open === 0) pull();
        await options.onBatch(handed);
      }
      handing = false;
      if (over) resolve();
      else if (open === 0) pull();
    };
    const start = () => {
      if (!handing) void hand().catch(raise);
    };
    const receive = (message: Msg) => {
      heardAt = performance.now();
      const delivered = toDelivered(message);
      if (delivered) {
        arrived.push(delivered);
        open--;
        // The rest of what came in one read follows in this turn: it becomes one batch.
        if (!handing && arrived.length === 1) setImmediate(start);
        return;
      }
      const code = message.headers?.code;
      // Servers of 2.12 and newer tell the end of a batch; by our own count it has ended, and the next may be on its way.
      const isCounted = code === STATUS.conflict && message.headers!.description === "Batch Completed";
      if (code === STATUS.heartbeat || isCounted) return;
      const isOver = code === STATUS.nothing || code === STATUS.expired;
      const isFull = code === STATUS.conflict && message.headers!.description.includes("MaxBytes");
      if (!isOver && !isFull) return end();
      open = 0;
      if (!handing && arrived.length === 0) pull();
    };
    const subscription = connection.nc.subscribe(inbox, {
      callback: (error, message) => {
        if (over) return;
        if (error) return end();
        receive(message);
      },
    });
    const watch = setInterval(() => {
      if (performance.now() - heardAt > SILENCE_MS && !handing) end();
    }, HEARTBEAT_MS / 2);
    const offStatus = connection.onStatus(end);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    else pull();
  });
}
