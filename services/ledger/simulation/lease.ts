import { after, every, type Process } from "./process.ts";
import { OWNERSHIP_LEASE_MS } from "./settings.ts";
import type { World } from "./world.ts";

/** The ownership lease in the key-value store, as its holder sees it (L19). */
export interface HeldLease {
  isSafe(): boolean;
  setEpoch(epoch: number): void;
  release(): void;
}

/** How often a stand-by looks at the lease, and its holder renews it. */
const LOOK_MS = 500;
const RENEW_MS = 1_250;

/** Waits for the lease for ever: takes it when it is free, or has not changed for a lease on its own monotonic clock. */
export function acquireLoop(
  world: World,
  process: Process,
  gained: (lease: HeldLease) => void,
  lost: () => void,
): void {
  const { broker, timeline, random } = world;
  // A process that started anew does not hold what its former life held.
  const holder = `${process.name}/${process.life}`;
  let seen = { revision: -1, at: 0 };
  let held = false;
  let renewedAt = 0;
  const isReachable = () => !broker.away && process.connected && !world.cut.has(`${process.name}>lease`);
  const isMine = () => broker.lease.holder === holder;

  const lease: HeldLease = {
    isSafe: () => held && timeline.now - renewedAt < OWNERSHIP_LEASE_MS / 2,
    setEpoch: (epoch) => {
      if (!isMine()) return;
      broker.lease.epoch = epoch;
      broker.lease.revision++;
      for (const executor of world.executors) {
        after(world, executor.process, random.between(1, 50), () => {
          if (!broker.away && executor.process.connected) executor.learnEpoch(epoch);
        });
      }
    },
    release: () => {
      held = false;
      if (isMine()) broker.lease = { ...broker.lease, holder: "", revision: broker.lease.revision + 1 };
    },
  };

  every(world, process, LOOK_MS, () => {
    if (held || !isReachable()) return;
    const { revision } = broker.lease;
    if (revision !== seen.revision) seen = { revision, at: timeline.now };
    if (broker.lease.holder !== "" && timeline.now - seen.at < OWNERSHIP_LEASE_MS) return;
    broker.lease = { ...broker.lease, holder, revision: revision + 1 };
    held = true;
    renewedAt = timeline.now;
    world.trace(() => `${process.name} holds the lease`);
    gained(lease);
  });
  every(world, process, RENEW_MS, () => {
    if (!held) return;
    if (isReachable() && isMine()) {
      const askedAt = timeline.now;
      after(world, process, random.between(1, 5), () => {
        if (!isReachable() || !isMine()) return;
        broker.lease.revision++;
        renewedAt = askedAt;
      });
    } else if (isReachable() || timeline.now - renewedAt > OWNERSHIP_LEASE_MS) {
      held = false;
      world.trace(() => `${process.name} has lost the lease`);
      lost();
    }
  });
}
