import underPressure from "@fastify/under-pressure";
import type { FastifyInstance } from "fastify";

/** Long enough that one slow collection of garbage, or a machine busy with starting, is no overload, ms. */
const LAG_SAMPLE_MS = 2_000;

/** Whether the event loop has been late by more than that, on average; admission asks. */
export async function watchLag(app: FastifyInstance, maxLagMs: number): Promise<() => boolean> {
  await app.register(underPressure, {
    maxEventLoopDelay: maxLagMs,
    sampleInterval: LAG_SAMPLE_MS,
    pressureHandler: () => undefined,
  });
  return () => app.isUnderPressure();
}
