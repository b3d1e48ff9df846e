import { setTimeout as sleep } from "node:timers/promises";
import { buckets, createId } from "@fnbus/contract";
import { type Keeping, type KeepingPorts, startKeeping } from "./keeping.ts";

/** One replica of the platform keeps account of open callbacks; the others wait to. All of them send. */
export interface Keeper {
  /** undefined: another replica keeps. */
  readonly keeping: Keeping | undefined;
  stop(): Promise<void>;
}

const LEASE_MS = 5_000;
const AGAIN_MS = 1_000;

export function startKeeper(ports: Omit<KeepingPorts, "isSafe">): Keeper {
  const stopping = new AbortController();
  const stopped = once(stopping.signal);
  const holder = createId();
  let keeping: Keeping | undefined;

  async function keepOnce(): Promise<void> {
    const options = { bucket: buckets.leases, key: "callbacks", holder, leaseMs: LEASE_MS, value: {} };
    const lease = await ports.bus.acquireLease(options, stopping.signal);
    const lost = new Promise<void>((resolve) => lease.onLost(resolve));
    try {
      keeping = await startKeeping({ ...ports, isSafe: () => lease.isSafe() });
      ports.logger.info({ open: keeping.open.size }, "keeps account of the platform's callbacks");
      await Promise.race([lost, stopped]);
    } finally {
      const kept = keeping;
      keeping = undefined;
      await kept?.stop();
      await lease.release().catch(() => {});
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await keepOnce();
      } catch (error) {
        if (stopping.signal.aborted) return;
        ports.logger.warn({ err: error }, "cannot keep account of callbacks: again");
        await sleep(AGAIN_MS);
      }
    }
  }
  const running = run();
  return {
    get keeping() {
      return keeping;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

const once = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
