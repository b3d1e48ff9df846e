import type { Bus } from "@fnbus/bus";
import { type Announcement, type LedgerAnnouncement, subjects } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import type { Backlog } from "../core/backlog.ts";
import type { Executors } from "../core/executors.ts";
import { readMessage } from "./messages.ts";

/** Hears what ledgers and executors say of themselves every second. */
export function hearAnnouncements(bus: Bus, backlog: Backlog, executors: Executors, logger: Logger): () => void {
  const subscriptions = [
    bus.subscribe(subjects.announceLedgers, ({ data }) => {
      const said = readMessage<LedgerAnnouncement>(data, logger);
      if (said) backlog.heard(said, Date.now());
    }),
    bus.subscribe(subjects.announceExecutors, ({ data }) => {
      const said = readMessage<Announcement>(data, logger);
      if (said) executors.heard(said, Date.now());
    }),
  ];
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}
