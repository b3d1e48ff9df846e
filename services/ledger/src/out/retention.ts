import type { Bus, StreamState } from "@fnbus/bus";
import { streams } from "@fnbus/contract";
import type { StreamFill } from "../core/index.ts";

/** A stream over this share of its size is cut to the second one: not at every turn by a little. */
const OUTCOMES_FULL = { over: 0.5, to: 0.4 };
const RECORDS_FULL = { over: 0.5, to: 0.4 };
const PARKED_FULL = { over: 0.8, to: 0.6 };

/**
 * First outcome to keep. Results are read from OUTCOMES, and a new replica's look-up is built from it: it is trimmed for
 * room alone, long before its owner has to stop handing out (L23).
 */
export const outcomesToKeep = (fill: StreamFill): number => bySize(fill, OUTCOMES_FULL);

export interface RetentionParts {
  now(): number;
  keepRecordsMs: number;
  keepDeadLettersMs: number;
  /** Last message of RECORDS that is projected: nothing after it may go (L22). */
  projectedRecords(): number;
  /** OUTCOMES from here on may have open callbacks (L26); undefined: no dispatcher has ever told. */
  callbacksMark(): number | undefined;
  /** First message of PARKED that an unfinished invocation needs. */
  parkedFloor(): number;
  gaveUp(reason: string, details: Record<string, unknown>): void;
}

/** Trims RECORDS and PARKED by age and size, as far as nobody needs them any more (L22, L25). */
export async function retain(bus: Bus, partition: number, parts: RetentionParts): Promise<void> {
  await trimRecords(bus, partition, parts);
  await trimParked(bus, partition, parts);
}

async function trimRecords(bus: Bus, partition: number, parts: RetentionParts): Promise<void> {
  const name = streams.records(partition);
  const state = await bus.streamState(name);
  if (state.messages === 0) return;
  const wanted = Math.max(
    bySize(state, RECORDS_FULL),
    await firstSince(bus, name, state, parts.now() - parts.keepRecordsMs),
  );
  if (wanted <= state.first) return;
  const needed = await firstSince(bus, name, state, await oldestOpenCallback(bus, partition, parts.callbacksMark()));
  const below = Math.min(wanted, needed, parts.projectedRecords() + 1);
  if (below > state.first) await bus.trim(name, below);
}

async function trimParked(bus: Bus, partition: number, parts: RetentionParts): Promise<void> {
  const name = streams.parked(partition);
  const state = await bus.streamState(name);
  if (state.messages === 0) return;
  const byAge = await firstSince(bus, name, state, parts.now() - parts.keepDeadLettersMs);
  const wanted = Math.max(bySize(state, PARKED_FULL), byAge);
  if (wanted <= state.first) return;
  const below = Math.min(wanted, parts.parkedFloor());
  if (below <= state.first) return;
  await bus.trim(name, below);
  parts.gaveUp(byAge >= below ? "dead letters are over their age" : "PARKED is over its size", {
    from: state.first,
    below,
  });
}

/** The end of a callback is never older than its outcome: RECORDS from the time of the oldest open one are needed. */
async function oldestOpenCallback(bus: Bus, partition: number, mark: number | undefined): Promise<number> {
  const name = streams.outcomes(partition);
  const { first, last } = await bus.streamState(name);
  if (mark !== undefined && mark > last) return Number.POSITIVE_INFINITY;
  const message = await bus.readAt(name, Math.max(first, mark ?? first));
  return message?.at ?? Number.NEGATIVE_INFINITY;
}

/** First sequence to keep, so that the rest is of the wanted size; messages count as equally large. */
function bySize({ first, last, bytes, maxBytes }: StreamFill, full: { over: number; to: number }): number {
  if (maxBytes <= 0 || bytes <= full.over * maxBytes) return first;
  return first + Math.ceil((last - first + 1) * (1 - (full.to * maxBytes) / bytes));
}

/** First sequence that was stored at `since` or later; one past the last where none was. */
async function firstSince(bus: Bus, name: string, { first, last }: StreamState, since: number): Promise<number> {
  let low = first;
  let high = last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await bus.readAt(name, middle);
    if (!message || message.at < since) low = middle + 1;
    else high = middle;
  }
  return low;
}
