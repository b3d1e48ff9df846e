import { type Bus, isBusError, type Lease } from "@fnbus/bus";
import { buckets, streams } from "@fnbus/contract";
import type { CoreEvent } from "../core/index.ts";

/** After a lost fence or a failed start the others get their turn first. */
const AGAIN_MS = 500;

/** Holding, losing and asking again for the lease of a partition (L19). */
export interface Ownership {
  /** Begins to ask for the lease: when everything that an owner needs is there. */
  start(): void;
  isSafe(): boolean;
  isOwner(): boolean;
  /** The epoch, where executors read it. Repeated until it is there or the lease is gone. */
  publishEpoch(epoch: number): void;
  /** Gives the lease up; it is asked for again a little later. */
  resign(): void;
  stop(): Promise<void>;
}

export interface OwnershipEvents {
  apply(event: CoreEvent): void;
  /** Epoch that the key shows while a newer one is being claimed: never a lower one than before. */
  epoch(): number;
  failed(error: unknown): void;
}

export function createOwnership(
  bus: Bus,
  partition: number,
  holder: string,
  leaseMs: number,
  events: OwnershipEvents,
): Ownership {
  const stopping = new AbortController();
  let lease: Lease | undefined;
  let ended = () => {};

  async function hold(): Promise<void> {
    const held = await bus.acquireLease(
      { bucket: buckets.leases, key: `ledger.${partition}`, holder, leaseMs, value: { epoch: events.epoch() } },
      stopping.signal,
    );
    lease = held;
    const lost = new Promise<void>((resolve) => {
      ended = resolve;
      held.onLost(resolve);
    });
    try {
      const [invocations, outcomes] = await Promise.all([
        bus.streamState(streams.invocations(partition)),
        bus.streamState(streams.outcomes(partition)),
      ]);
      events.apply({
        type: "lease-gained",
        owner: holder,
        lastInvocations: invocations.last,
        lastOutcomes: outcomes.last,
      });
      await lost;
    } finally {
      lease = undefined;
      events.apply({ type: "lease-lost" });
      await held.release().catch(events.failed);
    }
  }

  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        await hold();
      } catch (error) {
        if (!stopping.signal.aborted) events.failed(error);
      }
      if (!stopping.signal.aborted) await pause(AGAIN_MS, stopping.signal);
    }
  };

  return {
    start() {
      running = run();
    },
    isSafe: () => lease?.isSafe() ?? false,
    isOwner: () => lease !== undefined,
    publishEpoch(epoch) {
      const held = lease;
      const publish = async () => {
        while (held && lease === held) {
          try {
            await held.setValue({ epoch });
            return;
          } catch (error) {
            if (isBusError(error, "wrong_sequence")) return ended();
            events.failed(error);
            await pause(AGAIN_MS, stopping.signal);
          }
        }
      };
      void publish();
    },
    resign: () => ended(),
    async stop() {
      stopping.abort();
      ended();
      await running;
    },
  };
}

/** Sleeps, or less where `signal` ends it. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
