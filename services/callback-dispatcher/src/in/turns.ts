import type { HostGate } from "../core/host-gate.ts";

/** Turns at hosts: the gate with its short waits. */
export interface Turns {
  /** `go`: leave() must follow. Otherwise the time at which the job is to come again. */
  take(host: string, jobId: string): Promise<"go" | { atMs: number }>;
  leave(host: string, took?: { durationMs: number; failed: boolean }): void;
  /** The job of one that got no turn is delayed by now: it is woken where there is room before its time. */
  putOff(host: string, jobId: string): void;
}

/** So many wait here for a place that becomes free: a job that is woken comes by way of Redis, and the place would stand empty. */
const LINE = 8;
/** Jobs that are remembered to be woken; more of them come at their time (I11). */
const MAX_PUT_OFF = 100_000;

/** `wake`: brings a delayed job at once. Its time was guessed by how the host did then, and a guess may be far too late. */
export function createTurns(gate: HostGate, waitMs: number, wake: (jobId: string) => void): Turns {
  const waiting = new Map<string, Set<() => void>>();
  const putOff = new Map<string, Set<string>>();
  let count = 0;

  /** Until another has left, or the time to wait is over. */
  function wait(host: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const line = waiting.get(host) ?? new Set<() => void>();
    const wake = () => {
      clearTimeout(timer);
      line.delete(wake);
      if (line.size === 0 && waiting.get(host) === line) waiting.delete(host);
      resolve();
    };
    // One that gave up leaves the line: it would be woken instead of one that still waits.
    const timer = setTimeout(wake, waitMs);
    line.add(wake);
    waiting.set(host, line);
    return promise;
  }

  function forget(host: string, jobId: string): void {
    const jobs = putOff.get(host);
    if (!jobs?.delete(jobId)) return;
    count--;
    if (jobs.size === 0) putOff.delete(host);
  }

  function wakeNext(host: string): void {
    const [jobId] = putOff.get(host) ?? [];
    if (jobId === undefined) return;
    forget(host, jobId);
    wake(jobId);
  }

  return {
    async take(host, jobId) {
      forget(host, jobId);
      const began = performance.now();
      let turn = gate.enter(host, Date.now());
      while (turn.turn === "wait") {
        await wait(host);
        turn = gate.enter(host, Date.now(), performance.now() - began);
      }
      return turn.turn === "go" ? "go" : { atMs: turn.atMs };
    },
    leave(host, took) {
      gate.leave(host, Date.now(), took);
      const line = waiting.get(host);
      const length = line?.size ?? 0;
      if (length < LINE) wakeNext(host);
      if (length === 0) wakeNext(host);
      const [first] = line ?? [];
      first?.();
    },
    putOff(host, jobId) {
      if (count >= MAX_PUT_OFF) return;
      const jobs = putOff.get(host) ?? new Set<string>();
      putOff.set(host, jobs);
      count -= jobs.size;
      count += jobs.add(jobId).size;
    },
  };
}
