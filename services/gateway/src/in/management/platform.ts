import { FnbusError } from "@fnbus/contract";
import type { Doors } from "../doors.ts";
import { type App, platformRoute } from "./app.ts";
import { GiveUpFilter } from "./schemas.ts";

const tags = ["Platform"];
const DEFAULT_LIMIT = 50;

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

  app.get(
    "/totals",
    {
      config: platformRoute("admin"),
      schema: { tags, summary: "What was accepted, is unfinished and ended, of each partition (I8)" },
    },
    async () => {
      const partitions = Array.from({ length: doors.ledger.partitions }, (_, partition) => partition);
      const answers = partitions.map(async (partition) => {
        const {
          answer: _answer,
          ok: _ok,
          ...totals
        } = (await doors.ledger.ask(partition, { ask: "totals" }, "totals")).answer;
        return { partition, ...totals };
      });
      return { data: await Promise.all(answers) };
    },
  );

  app.get(
    "/partitions/:partition/give-ups",
    {
      config: platformRoute("admin"),
      schema: { tags, summary: "What any service gave up, newest first (I6)", querystring: GiveUpFilter },
    },
    async (request) => {
      const { limit = DEFAULT_LIMIT, before } = request.query;
      const partition = Number((request.params as { partition: string }).partition);
      if (!Number.isInteger(partition) || partition < 0 || partition >= doors.ledger.partitions)
        throw new FnbusError("route_not_found", "no such partition");
      const question = { ask: "give-ups", limit, ...(before === undefined ? {} : { before }) } as const;
      const { giveUps, next } = (await doors.ledger.ask(partition, question, "give-ups")).answer;
      return { data: giveUps, ...(next === undefined ? {} : { next }) };
    },
  );
}
