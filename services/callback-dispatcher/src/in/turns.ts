import type { HostGate } from "../core/host-gate.ts";

/** Turns at hosts: the gate with its short waits. */
export interface Turns {
  /** `go`: leave() must follow. Otherwise the time at which to come again. */
  take(host: string): Promise<"go" | { atMs: number }>;
  leave(host: string, took?: { durationMs: number; failed: boolean }): void;
}

export function createTurns(gate: HostGate, waitMs: number): Turns {
  const waiting = new Map<string, Set<() => void>>();

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

  return {
    async take(host) {
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
      const [first] = waiting.get(host) ?? [];
      first?.();
    },
  };
}
