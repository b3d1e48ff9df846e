import { setImmediate as nextTurn } from "node:timers/promises";
import type { Bus, LogReader, StoredMessage } from "@fnbus/bus";
import {
  decodeEntryPack,
  decodeInvocationPack,
  type Entry,
  type FrameHead,
  type LedgerRecord,
  type OutcomeHead,
  streams,
  VERDICT_HEADER,
} from "@fnbus/contract";
import type { CoreEvent, CoreView } from "../core/index.ts";

/** A turn of the loop ends after this, so that heartbeats and leases are heard while a long log is read (L17). */
const TURN_MS = 20;
/** Who waits for the logs looks again after this, or when one has moved. */
const LOOK_AGAIN_MS = 20;

interface OutcomesPack {
  head: OutcomeHead;
  entries: Entry<LedgerRecord>[];
}

/** An outcomes pack as it was read or as we wrote it ourselves. */
export interface ReadOutcomes extends OutcomesPack {
  sequence: number;
}

export interface LogsEvents {
  apply(event: CoreEvent): void;
  view: CoreView;
  /** A message's time stamp was read (L6). */
  saw(at: number): void;
  /** The core is about to judge this pack, and has. `heads` are of `bytes`. */
  invocationsRead(sequence: number, bytes: Buffer, heads: readonly FrameHead[]): void;
  invocationsTaken(sequence: number, heads: readonly FrameHead[], droppedAny: boolean): void;
  outcomesTaken(pack: ReadOutcomes, isOwn: boolean): void;
  /** A pack of ours coming back. */
  takeOwn(sequence: number): OutcomesPack | undefined;
  /** A message that is no pack: passed over, so that reading goes on. */
  damaged(stream: string, sequence: number, error: unknown): void;
}

/** Reads both logs in order into the core, for ever (L4, L5). */
export interface Logs {
  /** Resolves when both logs have been fed up to these sequences; false where `signal` ended the wait. */
  reached(sequences: { invocations: number; outcomes: number }, signal: AbortSignal): Promise<boolean>;
  /** Sequences up to which the core has been fed. */
  fed(): { invocations: number; outcomes: number };
  stop(): Promise<void>;
}

export async function readLogs(bus: Bus, partition: number, events: LogsEvents): Promise<Logs> {
  const next = events.view.next();
  const fed = { invocations: next.invocations - 1, outcomes: next.outcomes - 1 };
  const waiting = new Set<() => void>();
  const moved = () => {
    for (const look of [...waiting]) look();
  };
  let stopped = false;

  const untilMoved = () =>
    new Promise<void>((resolve) => {
      const look = () => {
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(look, LOOK_AGAIN_MS);
      waiting.add(look);
    });

  /** The other log, a tick or a changed stream makes the core want it: the two logs have one order (L5). */
  async function wanted(log: "invocations" | "outcomes"): Promise<void> {
    while (!stopped && !events.view.wants()[log]) await untilMoved();
  }

  async function each(
    log: "invocations" | "outcomes",
    batch: StoredMessage[],
    take: (message: StoredMessage) => void,
  ): Promise<void> {
    let begun = performance.now();
    for (const message of batch) {
      if (!events.view.wants()[log]) await wanted(log);
      if (stopped) return;
      events.saw(message.at);
      take(message);
      moved();
      if (performance.now() - begun < TURN_MS) continue;
      await nextTurn();
      begun = performance.now();
    }
  }

  function takeInvocations(message: StoredMessage): void {
    const { sequence, at } = message;
    const inbox = message.header(VERDICT_HEADER);
    const bytes = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.byteLength);
    let heads: FrameHead[] = [];
    try {
      heads = decodeInvocationPack(bytes);
    } catch (error) {
      events.damaged(streams.invocations(partition), sequence, error);
    }
    events.invocationsRead(sequence, bytes, heads);
    const before = events.view.totals().dropped;
    events.apply({ type: "invocations", sequence, at, heads, ...(inbox ? { verdictInbox: inbox } : {}) });
    fed.invocations = sequence;
    events.invocationsTaken(sequence, heads, events.view.totals().dropped !== before);
  }

  function takeOutcomes(message: StoredMessage): void {
    const { sequence } = message;
    const own = events.takeOwn(sequence);
    const pack = own ?? decodeOutcomes(message);
    const records = pack.entries.map((entry) => entry.meta);
    events.apply({ type: "outcomes", sequence, head: pack.head, records });
    events.outcomesTaken({ sequence, ...pack }, own !== undefined);
    fed.outcomes = sequence;
  }

  /** A damaged one keeps its place: a missing sequence would be a gap, and so would it be after every rebuild. */
  function decodeOutcomes(message: StoredMessage): OutcomesPack {
    try {
      return decodeEntryPack<OutcomeHead, LedgerRecord>(message.data);
    } catch (error) {
      events.damaged(streams.outcomes(partition), message.sequence, error);
      return { head: { epoch: 0, partition, applied: 0 }, entries: [] };
    }
  }

  const readers: LogReader[] = await Promise.all([
    bus.readLog(streams.invocations(partition), next.invocations, (batch) =>
      each("invocations", batch, takeInvocations),
    ),
    bus.readLog(streams.outcomes(partition), next.outcomes, (batch) => each("outcomes", batch, takeOutcomes)),
  ]);

  return {
    fed: () => ({ ...fed }),
    async reached(sequences, signal) {
      const isThere = () => fed.invocations >= sequences.invocations && fed.outcomes >= sequences.outcomes;
      while (!isThere() && !signal.aborted && !stopped) await untilMoved();
      return isThere();
    },
    async stop() {
      stopped = true;
      moved();
      await Promise.all(readers.map((reader) => reader.stop()));
    },
  };
}
