import type { Bus } from "@fnbus/bus";
import { type Announcement, type LedgerAnnouncement, subjects } from "@fnbus/contract";
import type { Backlog } from "../core/backlog.ts";
import type { Executors } from "../core/executors.ts";

/** Hears what ledgers and executors say of themselves every second. */
export function hearAnnouncements(bus: Bus, backlog: Backlog, executors: Executors): () => void {
  const parse = <T>(data: Uint8Array): T => JSON.parse(Buffer.from(data).toString("utf8")) as T;
  const subscriptions = [
    bus.subscribe(subjects.announceLedgers, ({ data }) => backlog.heard(parse<LedgerAnnouncement>(data), Date.now())),
    bus.subscribe(subjects.announceExecutors, ({ data }) => executors.heard(parse<Announcement>(data), Date.now())),
  ];
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}
