import type { Doors } from "../doors.ts";
import { type App, platformRoute } from "./app.ts";

const tags = ["Platform"];

/** Who am I, and how is the platform. */
export function platformRoutes(app: App, doors: Doors): void {
  app.get(
    "/whoami",
    {
      config: { dialect: "management", anyKey: true },
      schema: { tags, summary: "The key that the request was made with" },
    },
    async (request) => {
      const { secretHash: _hash, ...shown } = request.caller!;
      return shown;
    },
  );

  app.get(
    "/health",
    { config: platformRoute("admin"), schema: { tags, summary: "Ledgers and executors as they announce themselves" } },
    async () => {
      const now = Date.now();
      return {
        partitions: doors.backlog
          .last()
          .map((said) => ({ ...said, heard: doors.backlog.isHeard(said.partition, now) })),
        executors: doors.executors
          .alive(now)
          .map(({ executor, pool, capacity, draining, isolation, memoryLimits, warm }) => ({
            ...{ executor, pool, capacity, draining, isolation, memoryLimits },
            warmFunctions: warm.length,
          })),
      };
    },
  );
}
