import type { Bus } from "@fnbus/bus";
import { buckets } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import type { Held, Holding } from "../in/holding.ts";

const AGAIN_MS = 1_000;

/** A right that goes by a lease under a key: again and again, until whoever follows it stops (LEDGER.md L19). */
export function createExclusive(
  bus: Bus,
  options: { key: string; holder: string; leaseMs: number; logger: Logger },
): Holding {
  const { key, holder, leaseMs, logger } = options;
  return {
    follow(listener) {
      const stopping = new AbortController();
      const follow = async () => {
        while (!stopping.signal.aborted) {
          try {
            const lease = await bus.acquireLease(
              { bucket: buckets.leases, key, holder, leaseMs, value: {} },
              stopping.signal,
            );
            const held: Held = { slot: 0, isSafe: lease.isSafe };
            await new Promise<void>((resolve) => {
              lease.onLost(resolve);
              stopping.signal.addEventListener("abort", () => resolve());
              if (stopping.signal.aborted) resolve();
              else listener(held);
            });
            if (stopping.signal.aborted) return await lease.release();
            listener(undefined);
          } catch (error) {
            if (stopping.signal.aborted) return;
            logger.warn({ err: error, key }, "a lease cannot be taken");
            await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
          }
        }
      };
      const following = follow();
      return async () => {
        stopping.abort(new Error("stopping"));
        await following;
      };
    },
  };
}
