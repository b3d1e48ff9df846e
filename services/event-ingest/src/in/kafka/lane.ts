import { setTimeout as sleep } from "node:timers/promises";
import { defaultBatch, FnbusError, type RegisteredFunction, type TriggerOf, type Verdict } from "@fnbus/contract";
import { type EventCall, toSource } from "@fnbus/publisher";
import type { SourceStatus } from "@fnbus/sources";
import { cutBatches } from "../../core/batches.ts";
import { KAFKA_HEAD_BYTES } from "../../core/kafka-event.ts";
import { toRanges } from "../../core/kafka-ranges.ts";
import type { KafkaEntry } from "../../core/kafka-records.ts";
import type { Health } from "../broker/health.ts";
import { createPatience } from "../broker/patience.ts";
import { sendUntil, waitForRoom } from "../broker/send.ts";
import { waitForTarget } from "../broker/target.ts";
import type { BrokerDeps } from "../broker/types.ts";
import { toKafkaCall } from "./call.ts";
import { createLaneBuffer, type HeldBytes } from "./lane-buffer.ts";
import { type PartitionId, toCounts } from "./partition.ts";

/** Of one partition. Over it, nothing more is fetched for it. */
const LANE_BYTES = 2 * 1024 * 1024;
const LANE_ENTRIES = 20_000;
/** Over it, what waits for its batch to be filled waits no longer. */
const HELD_BYTES = 128 * 1024 * 1024;
/** Between looks whether all together hold too much for a batch to wait any longer, ms. */
const LOOK_MS = 1_000;

export interface LaneContext {
  deps: BrokerDeps;
  trigger: TriggerOf<"kafka">;
  status: SourceStatus;
  health: Health;
  held: HeldBytes;
  /** Told when a lane that was full has room again. */
  onRoom(): void;
}

/** One partition that this replica reads: what was fetched waits here, and is published in order, one pack in flight. */
export interface Lane extends PartitionId {
  /** The offset to fetch next. */
  readonly next: number;
  /** All before it is durable, or given up. */
  readonly position: number;
  /** The partition's end as the broker last said. */
  end: number;
  /** Fetches may bring more. */
  wants(): boolean;
  take(entries: readonly KafkaEntry[], next: number): void;
  /** Goes on from another offset, when nothing waits: what was between is not there any more. */
  jump(next: number): void;
  /** What is in flight is finished, what waits is forgotten. */
  stop(): Promise<void>;
}

export function createLane(context: LaneContext, id: PartitionId, start: number): Lane {
  const { deps, trigger, status, health, held } = context;
  const { publisher, registry, logger } = deps;
  const { batchSize: size = defaultBatch.size, batchWindowMs: windowMs = defaultBatch.windowMs } = trigger.config;
  const buffer = createLaneBuffer(held);
  const stopping = new AbortController();
  const { signal } = stopping;
  let next = start;
  const position = () => buffer.entries[0]?.offset ?? next;
  let wake = (): void => undefined;

  const isFull = () => buffer.bytes >= LANE_BYTES || buffer.entries.length >= LANE_ENTRIES;
  /** What waits may be cut into batches, the last of them not full. */
  const isDue = () => isFull() || held.count >= HELD_BYTES || performance.now() - buffer.oldestAt >= windowMs;

  /** Resolves when there is something to publish. */
  async function waitForWork(): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const { length } = buffer.entries;
      if (length >= size || (length > 0 && isDue())) return;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const waiting = new AbortController();
      const leftMs = Math.min(LOOK_MS, Math.max(1, windowMs - (performance.now() - buffer.oldestAt)));
      const timer =
        length > 0 ? sleep(leftMs, undefined, { signal: waiting.signal }).catch(() => undefined) : undefined;
      await (timer ? Promise.race([woken, timer]) : woken);
      waiting.abort();
    }
  }

  function goPast(offset: number): void {
    const wasFull = isFull();
    buffer.dropThrough(offset);
    next = Math.max(next, offset + 1);
    if (wasFull && !isFull()) context.onRoom();
  }

  async function giveUp(offsets: readonly number[], reason: string): Promise<void> {
    const what = `kafka record ${id.topic}/${id.partition}@${toRanges(offsets)}`;
    await publisher.giveUp({ trigger, what, reason, details: { records: offsets.length } });
    status.givenUp(offsets.length);
    logger.warn({ trigger: trigger.id, what, reason }, "records were given up");
  }

  /** Records that can be in no event: each is in a record of the platform before it is passed (I6). */
  async function passPoison(): Promise<void> {
    const reasons = Map.groupBy(
      buffer.entries.filter(({ poison }) => poison !== undefined),
      ({ poison }) => poison!,
    );
    for (const [reason, entries] of reasons) {
      const offsets = entries.map(({ offset }) => offset);
      await giveUp(offsets, reason);
      buffer.remove(new Set(entries));
    }
  }

  /** How far the verdicts let it go. What is refused is cut anew from the mark; throws where that is no use. */
  function judge(calls: readonly EventCall[], verdicts: readonly Verdict[]): void {
    for (const [index, verdict] of verdicts.entries()) {
      const { first, last } = calls[index]!.position!;
      if (verdict.verdict === "refused") {
        if (verdict.mark < first) throw new FnbusError(verdict.errorCode);
        goPast(verdict.mark);
        return;
      }
      if (verdict.verdict === "new") status.published();
      goPast(last);
    }
  }

  async function publish(to: RegisteredFunction): Promise<void> {
    // Poison may have come while that before it was given up: it is next time's.
    const poisoned = buffer.entries.findIndex(({ poison }) => poison !== undefined);
    const clean = poisoned < 0 ? buffer.entries : buffer.entries.slice(0, poisoned);
    const batches = cutBatches(clean, { size, headBytes: KAFKA_HEAD_BYTES }, isDue());
    const calls = batches.map((batch) => toKafkaCall(trigger, to, id, batch, Date.now()));
    if (calls.length === 0) return;
    try {
      await sendUntil(async () => judge(calls, await publisher.sendInOrder(calls)), { health, logger, signal });
    } catch (error) {
      signal.throwIfAborted();
      const batch = batches[0]!.map(({ offset }) => offset);
      await giveUp(batch, error instanceof Error ? error.message : "it was refused");
      goPast(batch.at(-1)!);
    }
  }

  async function run(): Promise<void> {
    let source = "";
    for (;;) {
      await waitForWork();
      const to = await waitForTarget(registry, trigger, health, signal);
      await waitForRoom(publisher, to, { health, signal });
      // Another function has marks of its own: it goes on from here, or from where it has been further.
      const now = toSource(trigger, to, toCounts(id));
      if (source !== "" && source !== now) {
        const [mark] = await publisher.marks(to.definition.partition, [now]);
        if (mark !== null && mark !== undefined) goPast(mark);
      }
      source = now;
      await passPoison();
      await publish(to);
    }
  }

  const patience = createPatience(100, 5_000, signal);
  async function runOn(): Promise<void> {
    while (!signal.aborted) {
      try {
        await run();
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error, trigger: trigger.id, ...id }, "a partition is tried again");
        health.trouble(error instanceof FnbusError ? error.code : "internal", "a partition is tried again");
        await patience.wait().catch(() => undefined);
      }
    }
  }
  const running = runOn();

  return {
    ...id,
    end: start,
    get next() {
      return next;
    },
    get position() {
      return position();
    },
    wants: () => !isFull() && held.count < HELD_BYTES && !signal.aborted,
    take(entries, after) {
      if (signal.aborted) return;
      buffer.add(entries.filter(({ offset }) => offset >= next));
      status.received(entries.length);
      next = Math.max(next, after);
      wake();
    },
    jump(offset) {
      next = offset;
    },
    async stop() {
      stopping.abort(new Error("stopping"));
      wake();
      await running;
      buffer.dropThrough(Number.POSITIVE_INFINITY);
    },
  };
}
