import { AckPolicy, type ConsumerConfig, DeliverPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Core } from "./core.ts";
import { toBusError } from "./errors.ts";
import type { Delivered } from "./messages.ts";
import { pullUntilLost } from "./pull.ts";

/** Where a consumer begins. `last-per-subject`: the newest of each subject, then everything that follows. */
export type ReadStart = { at: "sequence"; sequence: number } | { at: "last-per-subject" };

const BATCH = 256;
/** The server forgets a consumer that nobody pulls from; a reader that comes back makes another. */
const INACTIVE_MS = 60_000;

/** Makes a consumer for one reader. `pending`: how many messages there are to read now. Throws a BusError. */
export async function openConsumer(
  core: Core,
  stream: string,
  start: ReadStart,
): Promise<{ consumer: string; pending: number }> {
  const config: Partial<ConsumerConfig> = {
    ack_policy: AckPolicy.None,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(INACTIVE_MS),
    ...(start.at === "sequence"
      ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start.sequence }
      : { deliver_policy: DeliverPolicy.LastPerSubject, filter_subject: ">" }),
  };
  const info = await core.manager.consumers.add(stream, config).catch((error) => {
    throw toBusError(error, `reading ${stream}`);
  });
  return { consumer: info.name, pending: info.num_pending };
}

/**
 * Reads with a consumer until its life ends: a delivery number skipped, silence, a lost connection, a lost leader, or
 * `signal`. Delivery numbers of a consumer have no gap and stream sequences only grow, so within it nothing is missed or
 * doubled. `onBatch` is awaited before the next batch.
 */
export async function readConsumer(
  core: Core,
  options: {
    stream: string;
    consumer: string;
    name: string;
    signal: AbortSignal;
    onBatch(batch: Delivered[]): void | Promise<void>;
  },
): Promise<void> {
  const { stream, consumer, name, signal } = options;
  const lost = new AbortController();
  let delivery = 0;
  await pullUntilLost(core, {
    stream,
    consumer,
    batch: BATCH,
    name,
    signal: AbortSignal.any([signal, lost.signal]),
    async onBatch(batch) {
      let whole = 0;
      while (whole < batch.length && batch[whole]!.delivery === delivery + 1) {
        delivery++;
        whole++;
      }
      const good = whole === batch.length ? batch : batch.slice(0, whole);
      if (whole < batch.length) lost.abort();
      if (good.length > 0 && !signal.aborted) await options.onBatch(good);
    },
  });
  // Not awaited, and no matter whether it succeeds: the server removes it after INACTIVE_MS otherwise.
  if (core.connection.isConnected()) core.manager.consumers.delete(stream, consumer).catch(() => false);
}
