import type { Bus } from "@fnbus/bus";
import { type EndState, type LedgerAnnouncement, subjects } from "@fnbus/contract";
import type { CoreView } from "../core/index.ts";

export const ANNOUNCE_EVERY_MS = 1000;
/** Full functions named in one announcement; the partition's own bound covers the rest (I11). */
const FULL_SHOWN = 1000;

export const sumEnded = (ended: Record<EndState, number>): number =>
  Object.values(ended).reduce((sum, count) => sum + count, 0);

/** What publishers refuse by (L23). */
export function toLedgerAnnouncement(view: CoreView, partition: number, owner: string): LedgerAnnouncement {
  const { backlog, keys, marks, fullFunctions } = view.fill();
  const totals = view.totals();
  return {
    partition,
    epoch: view.epoch,
    owner,
    fill: backlog,
    keptKeys: keys,
    marks,
    full: fullFunctions.slice(0, FULL_SHOWN),
    unfinished: totals.unfinished,
    accepted: totals.accepted,
    ended: sumEnded(totals.ended),
  };
}

/** Tells publishers how full the partition is. Nothing is kept for a broker that is away. */
export function announceLedger(bus: Bus, announcement: LedgerAnnouncement): void {
  if (bus.isConnected())
    bus.publish(subjects.announceLedger(announcement.partition), Buffer.from(JSON.stringify(announcement)));
}
