import type { PassThrough } from "node:stream";
import type { Doors } from "../doors.ts";
import { sendLogs } from "../log-stream.ts";
import { toFunction } from "../smartworks/ready.ts";
import { type App, pathOf, spaceRoute, toTime } from "./app.ts";
import { LogFilter } from "./schemas.ts";

const DEFAULT_TAIL = 100;

export function logRoutes(app: App, doors: Doors): void {
  const open = new Set<PassThrough>();
  // Readers that follow would hold the server open.
  app.addHook("preClose", (done) => {
    for (const stream of open) stream.end();
    done();
  });

  app.get(
    "/spaces/:space/functions/:name/logs",
    {
      config: spaceRoute("function.read"),
      schema: { tags: ["Functions"], summary: "Log lines as ndjson, oldest first", querystring: LogFilter },
    },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      const { tail = DEFAULT_TAIL, follow = false, invocation } = request.query;
      const since = toTime("since", request.query.since);
      const query = {
        ...{ space, name, tail, registryId: toFunction(doors.registry, space, name).definition.id },
        ...(since === undefined ? {} : { since }),
        ...(invocation === undefined ? {} : { invocation }),
      };
      return sendLogs(doors.functionLogs, query, follow, JSON.stringify, open, reply);
    },
  );
}
