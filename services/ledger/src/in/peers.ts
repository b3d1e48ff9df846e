import type { Bus, BusMessage, Subscription } from "@fnbus/bus";
import { type Announcement, decodeEntryPack, type ResultEntry, type ResultsHead, subjects } from "@fnbus/contract";
import type { CoreEvent } from "../core/index.ts";

export interface PeerEvents {
  apply(event: CoreEvent): void;
  /** Results concern the owner alone. */
  isOwner(): boolean;
  damaged(subject: string, error: unknown): void;
}

/** What executors and callback-dispatchers say over core NATS (L14, L16, L26). */
export function subscribePeers(bus: Bus, partition: number, events: PeerEvents): Subscription[] {
  const guarded = (subject: string, take: (message: BusMessage) => void) =>
    bus.subscribe(subject, (message) => {
      try {
        take(message);
      } catch (error) {
        events.damaged(message.subject, error);
      }
    });
  return [
    guarded(subjects.announceExecutors, ({ data }) => {
      events.apply({ type: "announcement", announcement: toAnnouncement(data) });
    }),
    guarded(subjects.announceCallbacks(partition), ({ data }) => {
      const { lowMark } = JSON.parse(Buffer.from(data).toString("utf8")) as { lowMark: number };
      if (Number.isSafeInteger(lowMark)) events.apply({ type: "callbacks-mark", from: lowMark });
    }),
    guarded(subjects.results(partition), ({ data }) => {
      if (!events.isOwner()) return;
      const { head, entries } = decodeEntryPack<ResultsHead, ResultEntry>(data);
      events.apply({ type: "results", head, entries });
    }),
  ];
}

/** Throws TypeError for what is no announcement: it would be an executor that holds nothing. */
export function toAnnouncement(data: Uint8Array): Announcement {
  const announcement = JSON.parse(Buffer.from(data).toString("utf8")) as Announcement;
  if (typeof announcement?.executor !== "string" || typeof announcement.partitions !== "object")
    throw new TypeError("not an announcement");
  return announcement;
}
