import { defaultBatch, limits, type RabbitmqConfig } from "@fnbus/contract";
import type { ConsumeMessage } from "amqplib";
import type { MessageText } from "../../core/message-text.ts";
import { RABBITMQ_HEAD_BYTES } from "../../core/rabbitmq-event.ts";

/** A message that waits for its batch. */
export interface Waiting {
  message: ConsumeMessage;
  text: MessageText;
}

/** Collects messages until a batch is full or has waited long enough; batches are handled one after the other, in order. */
export interface Batching {
  add(one: Waiting): void;
  /** What waits is forgotten; resolves when the batch that is being handled has ended. */
  stop(): Promise<void>;
}

export function createBatching(config: RabbitmqConfig, handle: (batch: readonly Waiting[]) => Promise<void>): Batching {
  const { batchSize: size = defaultBatch.size, batchWindowMs: windowMs = defaultBatch.windowMs } = config;
  let waiting: Waiting[] = [];
  let bytes = RABBITMQ_HEAD_BYTES;
  let timer: NodeJS.Timeout | undefined;
  let work = Promise.resolve();
  let isStopped = false;

  const close = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0 || isStopped) return;
    const batch = waiting;
    waiting = [];
    bytes = RABBITMQ_HEAD_BYTES;
    work = work.then(() => (isStopped ? undefined : handle(batch)));
  };
  return {
    add(one) {
      // The comma, and its index where it is base64.
      const more = one.text.bytes + 6;
      if (waiting.length > 0 && bytes + more > limits.requestBodyBytes) close();
      waiting.push(one);
      bytes += more;
      if (waiting.length >= size) close();
      else timer ??= setTimeout(close, windowMs);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await work;
    },
  };
}
