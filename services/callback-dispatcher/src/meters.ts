import type { Metrics } from "@fnbus/telemetry";
import type { HostGate } from "./core/host-gate.ts";
import type { Judgement } from "./core/judgement.ts";
import type { Keeping } from "./keeping.ts";

/** Instruments of callback-dispatcher. Hosts are no labels: there may be any number of them. */
export function createMeters(
  metrics: Metrics,
  of: { gate: HostGate; keeping(): Keeping | undefined },
): { onTry(result: Judgement["verdict"], durationMs: number): void } {
  const tries = metrics.counter(
    "fnbus_callback_tries",
    "Tries of callbacks by what follows: delivered, retry, give-up",
  );
  const duration = metrics.histogram("fnbus_callback_duration", "From the start of a try to its answer", "ms");
  metrics.gauge("fnbus_callback_in_flight", "Callbacks on their way", () => [[of.gate.inFlight]]);
  metrics.gauge("fnbus_callback_open", "Callbacks without an end, as the keeper counts them", () => {
    const keeping = of.keeping();
    return keeping ? [[keeping.open.size]] : [];
  });
  metrics.gauge("fnbus_callback_paused_hosts", "Hosts whose callbacks are paused", () => {
    const keeping = of.keeping();
    return keeping ? [[keeping.endpoints.paused().length]] : [];
  });
  return {
    onTry(result, durationMs) {
      tries.add(1, { result });
      duration.record(durationMs);
    },
  };
}
