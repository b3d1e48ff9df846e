import type { TriggerReport } from "@fnbus/contract";
import type { SourceStatus } from "./types.ts";

/** The status of one trigger on this replica, written by its source and read for reports. */
export interface KeptStatus extends SourceStatus {
  report(): Omit<TriggerReport, "id" | "details">;
}

export function createStatus(now: () => number): KeptStatus {
  let state: TriggerReport["state"] = "Pending";
  let since = now();
  let error: TriggerReport["error"];
  let lastEventAt: number | undefined;
  const counts = { received: 0, published: 0, givenUp: 0 };
  const become = (next: TriggerReport["state"]) => {
    if (next === state) return;
    state = next;
    since = now();
  };
  return {
    running: () => become("Running"),
    pending: () => become("Pending"),
    failed(code, message) {
      error = { code, message, at: now() };
      become("Failed");
    },
    trouble(code, message) {
      error = { code, message, at: now() };
    },
    received(events = 1) {
      counts.received += events;
      lastEventAt = now();
    },
    published(invocations = 1) {
      counts.published += invocations;
    },
    givenUp(events = 1) {
      counts.givenUp += events;
    },
    report: () => ({
      ...{ state, since, ...counts },
      ...(error && { error }),
      ...(lastEventAt !== undefined && { lastEventAt }),
    }),
  };
}
