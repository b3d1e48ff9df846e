import type { Bus } from "@fnbus/bus";
import { type Announcement, subjects } from "@fnbus/contract";
import { type Backlog, hearLedgers, readMessage } from "@fnbus/publisher";
import type { Logger } from "@fnbus/telemetry";
import type { Executors } from "../core/executors.ts";

/** Hears what ledgers and executors say of themselves every second. */
export function hearAnnouncements(bus: Bus, backlog: Backlog, executors: Executors, logger: Logger): () => void {
  const subscriptions = [
    hearLedgers(bus, backlog, logger),
    bus.subscribe(subjects.announceExecutors, ({ data }) => {
      const said = readMessage<Announcement>(data, logger);
      if (said) executors.heard(said, Date.now());
    }),
  ];
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}
