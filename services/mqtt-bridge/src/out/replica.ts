import { setTimeout as pause } from "node:timers/promises";
import type { Bus, KeyValue, Lease } from "@fnbus/bus";
import { buckets } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import type { Held, Holding } from "../in/holding.ts";

export interface ReplicaOptions {
  bus: Bus;
  holder: string;
  leaseMs: number;
  logger: Logger;
  /** Empties the sessions of a slot that nobody has any more. false: not now. */
  drain(slot: number, mayConnect: () => boolean): Promise<boolean>;
}

/** The slot of this replica, by which its sessions are named. */
export interface Replica extends Holding {
  readonly slot: number | undefined;
  stop(): Promise<void>;
}

/** Between looks at the next slot: a replica that restarts is given three leases to come back to its sessions. */
const LEASES_TO_COME_BACK = 3;
const KNOWN = "mqtt.known.";
const leaseKey = (slot: number): string => `mqtt.slot.${slot}`;

/**
 * Gives this replica the lowest slot that is free. Slots are numbered, not named after machines, so that a replica that is
 * replaced by another finds its sessions again. A slot that was left for good (fewer replicas) is watched by the replica of
 * the slot before, which empties its sessions and strikes it out: they would hoard their share of the messages.
 */
export function createReplica({ bus, holder, leaseMs, logger, drain }: ReplicaOptions): Replica {
  const stopping = new AbortController();
  const { signal } = stopping;
  const listeners = new Set<(held: Held | undefined) => void>();
  /** Slots that have or had a replica. */
  const known = new Set<number>();
  let held: (Held & { lease: Lease }) | undefined;

  const take = (slot: number, within: AbortSignal): Promise<Lease> =>
    bus.acquireLease({ bucket: buckets.leases, key: leaseKey(slot), holder, leaseMs, value: {} }, within);

  /** The first of these slots that becomes free, or undefined after `timeoutMs`. */
  async function takeOneOf(slots: number[], timeoutMs: number): Promise<{ slot: number; lease: Lease } | undefined> {
    const race = new AbortController();
    const within = AbortSignal.any([race.signal, signal, AbortSignal.timeout(timeoutMs)]);
    const taken: { slot: number; lease: Lease }[] = [];
    await Promise.allSettled(
      slots.map(async (slot) => {
        taken.push({ slot, lease: await take(slot, within) });
        race.abort();
      }),
    );
    const [first, ...others] = taken;
    await Promise.all(others.map(({ lease }) => lease.release()));
    return first;
  }

  async function takeSlot(): Promise<{ slot: number; lease: Lease }> {
    for (;;) {
      signal.throwIfAborted();
      const slots = [...known].toSorted((a, b) => a - b);
      let fresh = 0;
      while (known.has(fresh)) fresh++;
      // A slot of the dead is free after a lease; nobody who waits for one takes a new one before.
      const found =
        (slots.length > 0 ? await takeOneOf(slots, leaseMs * 1.5) : undefined) ??
        (await takeOneOf([fresh], leaseMs / 2));
      if (found) return found;
    }
  }

  async function keep(bucket: KeyValue): Promise<void> {
    while (!signal.aborted) {
      const { slot, lease } = await takeSlot();
      await bucket.put(`${KNOWN}${slot}`, Buffer.from("{}"));
      known.add(slot);
      held = { slot, lease, isSafe: lease.isSafe };
      logger.info({ slot }, "this replica's slot");
      for (const listener of listeners) listener(held);
      await new Promise<void>((resolve) => {
        lease.onLost(resolve);
        signal.addEventListener("abort", () => resolve());
        if (signal.aborted) resolve();
      });
      if (signal.aborted) return;
      held = undefined;
      for (const listener of listeners) listener(undefined);
    }
  }

  /** The next slot after ours, round the ring of all that are known. */
  const nextSlot = (): number | undefined => {
    if (!held) return undefined;
    const others = [...known].filter((slot) => slot !== held?.slot).toSorted((a, b) => a - b);
    return others.find((slot) => slot > held!.slot) ?? others[0];
  };

  async function watchNext(bucket: KeyValue): Promise<void> {
    let watched: { slot: number; revision: number; since: number } | undefined;
    while (!signal.aborted) {
      await pause(leaseMs / 4, undefined, { signal });
      const slot = nextSlot();
      if (slot === undefined) continue;
      const revision = (await bucket.get(leaseKey(slot)))?.revision ?? 0;
      if (watched?.slot !== slot || watched.revision !== revision)
        watched = { slot, revision, since: performance.now() };
      if (performance.now() - watched.since < leaseMs * LEASES_TO_COME_BACK) continue;
      const found = await takeOneOf([slot], leaseMs * 1.5);
      if (!found) continue;
      logger.info({ slot }, "emptying the sessions of a replica that is gone");
      if (await drain(slot, found.lease.isSafe)) {
        await bucket.delete(`${KNOWN}${slot}`);
        known.delete(slot);
      }
      watched = undefined;
      await found.lease.release();
    }
  }

  /** Runs until it stops, beginning anew after whatever the broker refuses. */
  const forEver = async (what: string, work: (bucket: KeyValue) => Promise<void>) => {
    while (!signal.aborted) {
      try {
        await work(await opened);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, `${what} failed; it is tried again`);
        await pause(leaseMs / 4, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  const opened = openKnown(bus, known);
  const running = [forEver("taking a slot", keep), forEver("watching the next slot", watchNext)];

  return {
    get slot() {
      return held?.slot;
    },
    follow(listener) {
      listeners.add(listener);
      if (held) listener(held);
      return async () => {
        listeners.delete(listener);
      };
    },
    async stop() {
      stopping.abort(new Error("stopping"));
      await Promise.all(running);
      await held?.lease.release();
      (await opened.catch(() => undefined))?.stopWatching();
    },
  };
}

async function openKnown(bus: Bus, known: Set<number>): Promise<KeyValue & { stopWatching(): void }> {
  const bucket = await bus.keyValue(buckets.leases);
  const watch = await bucket.watch(({ key, value }) => {
    if (!key.startsWith(KNOWN)) return;
    const slot = Number(key.slice(KNOWN.length));
    if (value) known.add(slot);
    else known.delete(slot);
  });
  return { ...bucket, stopWatching: () => watch.stop() };
}
