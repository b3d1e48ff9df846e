import { setTimeout as sleep } from "node:timers/promises";
import { type CallbackReference, toJobId } from "../core/callback-reference.ts";
import type { Jobs } from "../out/jobs.ts";
import type { Next } from "./delivery.ts";
import type { Turns } from "./turns.ts";

/** First tries to one host that are one job: Redis works once for all of them. */
export interface Series {
  /**
   * Resolves when each callback has ended or has a job of its own, or with the time at which to come again: none was tried,
   * because the host has no room for the series.
   */
  deliver(jobId: string, callbacks: readonly CallbackReference[]): Promise<undefined | { atMs: number }>;
  /** What is under way comes to its end; nothing waits for Redis any longer. */
  stop(): void;
}

/** Callbacks of one series on their way at once. */
const LANES = 16;
/** What has not begun by then is not held up by the rest of its series, nor sent again if this process dies now. */
const PATIENCE_MS = 1_000;
const AGAIN_MS = 500;

export function createSeries(ports: {
  /** Lanes of all series. */
  concurrency: number;
  /** Turns of whole series at hosts: the less are begun, the less is sent again after a crash. */
  turns: Turns;
  /** Turns of single callbacks. */
  ownTurns: Pick<Turns, "putOff">;
  jobs: Jobs;
  deliver(reference: CallbackReference): Promise<Next>;
}): Series {
  const stopping = new AbortController();
  let lanes = 0;

  /** Waits for Redis however long it is away: what has been tried must not be begun anew with its series. */
  async function handOver(list: readonly CallbackReference[], dueAt: number): Promise<void> {
    const jobs = list.map((reference) => ({ jobId: toJobId(reference), callbacks: [reference], dueAt }));
    for (;;) {
      try {
        return await ports.jobs.add(jobs);
      } catch (error) {
        if (stopping.signal.aborted) throw error;
        await sleep(AGAIN_MS, undefined, { signal: stopping.signal });
      }
    }
  }

  async function deliverAll(callbacks: readonly CallbackReference[], own: number): Promise<void> {
    const began = performance.now();
    const rest = [...callbacks];
    const deliverInTurn = async (): Promise<void> => {
      for (let one = rest.shift(); one; one = rest.shift()) {
        if (performance.now() - began > PATIENCE_MS) return handOver([one, ...rest.splice(0)], Date.now());
        const next = await ports.deliver(one);
        if (next === "ended") continue;
        await handOver([{ ...one, attempts: next.attempts }], next.atMs);
        if (next.noTurn) ports.ownTurns.putOff(one.host, toJobId(one));
      }
    };
    const done = await Promise.allSettled(Array.from({ length: own }, deliverInTurn));
    for (const lane of done) if (lane.status === "rejected") throw lane.reason;
  }

  return {
    async deliver(jobId, callbacks) {
      const host = callbacks[0]?.host ?? "";
      const turn = await ports.turns.take(host, jobId);
      if (turn !== "go") return turn;
      const began = performance.now();
      const own = Math.max(1, Math.min(callbacks.length, LANES, ports.concurrency - lanes));
      lanes += own;
      try {
        await deliverAll(callbacks, own);
        return undefined;
      } finally {
        lanes -= own;
        ports.turns.leave(host, { durationMs: performance.now() - began, failed: false });
      }
    },
    stop: () => stopping.abort(),
  };
}
