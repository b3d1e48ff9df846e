import type { OpenSource } from "@fnbus/sources";
import type { Logger } from "@fnbus/telemetry";
import type { BrokerFault } from "../../core/broker-faults.ts";
import type { Health } from "./health.ts";
import { createPatience } from "./patience.ts";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export interface RunningOptions {
  /** One session with the broker; it ends by itself, by a fault, or when the signal ends it. */
  session(signal: AbortSignal): Promise<void>;
  toFault(error: unknown): BrokerFault;
  health: Health;
  logger: Logger;
  triggerId: string;
}

/** Session after session until it is stopped, with growing pauses after faults. */
export function startRunning(options: RunningOptions): Pick<OpenSource, "stop"> {
  const { session, toFault, health, logger, triggerId } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const patience = createPatience(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, signal);

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        await session(signal);
      } catch (error) {
        if (signal.aborted) return;
        const fault = toFault(error);
        if (fault.code === "source_failed") logger.warn({ err: error, trigger: triggerId }, "a trigger begins again");
        health.failed("connection", fault);
      }
      if (performance.now() - startedAt > LONGEST_PAUSE_MS) patience.reset();
      await patience.wait().catch(() => undefined);
    }
  }
  const running = run();
  return {
    async stop() {
      stopping.abort(new Error("stopping"));
      await running;
    },
  };
}
