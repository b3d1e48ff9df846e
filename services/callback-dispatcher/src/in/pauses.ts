import type { Bus } from "@fnbus/bus";

/** Hosts that the keeper announces as paused, as every replica hears it each second. */
export interface Pauses {
  isPaused(host: string): boolean;
  stop(): void;
}

export function followPauses(bus: Bus, announced: readonly string[]): Pauses {
  let paused = new Set<string>();
  const subscriptions = announced.map((subject) =>
    bus.subscribe(subject, (message) => {
      const list = (JSON.parse(Buffer.from(message.data).toString("utf8")) as { paused?: string[] }).paused;
      paused = new Set(list);
    }),
  );
  return {
    isPaused: (host) => paused.has(host),
    stop() {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
