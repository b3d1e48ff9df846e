import type { Bus, Subscription } from "@fnbus/bus";
import { type LedgerAnnouncement, subjects } from "@fnbus/contract";
import type { Logger } from "@fnbus/telemetry";
import type { Backlog } from "./backlog.ts";
import { readMessage } from "./messages.ts";

/** Hears what the owners of partitions say every second. */
export const hearLedgers = (bus: Bus, backlog: Backlog, logger: Logger): Subscription =>
  bus.subscribe(subjects.announceLedgers, ({ data }) => {
    const said = readMessage<LedgerAnnouncement>(data, logger);
    if (said) backlog.heard(said, Date.now());
  });
