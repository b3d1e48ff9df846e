import type { Bus } from "@fnbus/bus";
import { type Announcement, subjects } from "@fnbus/contract";

const EVERY_MS = 1_000;

/** Says every second what this executor is and holds (L14), and answers whoever asks in between. */
export function createAnnouncer(bus: Bus, executor: string, describe: () => Announcement) {
  const bytes = () => Buffer.from(JSON.stringify(describe()));
  const say = () => {
    if (bus.isConnected()) bus.publish(subjects.announceExecutors, bytes());
  };
  const asked = bus.subscribe(subjects.holds(executor), (message) => message.respond(bytes()));
  const every = setInterval(say, EVERY_MS);
  say();
  return {
    say,
    stop(): void {
      clearInterval(every);
      asked.unsubscribe();
      say();
    },
  };
}
