import type { Bus } from "@fnbus/bus";
import { type Announcement, buckets, subjects } from "@fnbus/contract";

/** What this service hears of others: executors of its pool, and the epochs of owners (L19). */
export async function hearOthers(
  bus: Bus,
  on: { announcement(announcement: Announcement): void; epoch(partition: number, epoch: number): void },
): Promise<{ stop(): void }> {
  const announcements = bus.subscribe(subjects.announceExecutors, (message) => {
    const said = parse<Announcement>(message.data);
    if (said) on.announcement(said);
  });
  const leases = await bus.keyValue(buckets.leases);
  const watch = await leases.watch(({ key, value }) => {
    const partition = /^ledger\.(\d+)$/.exec(key)?.[1];
    const epoch = value && parse<{ epoch?: unknown }>(value)?.epoch;
    if (partition !== undefined && typeof epoch === "number") on.epoch(Number(partition), epoch);
  });
  return {
    stop() {
      announcements.unsubscribe();
      watch.stop();
    },
  };
}

function parse<T>(data: Uint8Array): T | undefined {
  try {
    return JSON.parse(Buffer.from(data).toString()) as T;
  } catch {
    return undefined;
  }
}
