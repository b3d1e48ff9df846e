import { FnbusError, isId, toFnbusError } from "@fnbus/contract";
import type { Doors } from "../doors.ts";
import { type App, pathOf, spaceRoute } from "./app.ts";
import { toFilter } from "./invocations.ts";
import { listInvocations } from "./list-invocations.ts";
import { redriveOne } from "./redrive.ts";
import { InvocationFilter, RedriveMany } from "./schemas.ts";

const tags = ["Dead letters"];
/** One request redrives for at most so long; its answer says where to go on. */
const MAX_MS = 20_000;
const DEFAULT_PER_SECOND = 100;
const DEFAULT_LIMIT = 100;

export function deadLetterRoutes(app: App, doors: Doors): void {
  app.get(
    "/spaces/:space/dead-letters",
    {
      config: spaceRoute("invocation.read"),
      schema: { tags, summary: "List dead letters, newest first", querystring: InvocationFilter },
    },
    async (request) => {
      const filter = toFilter(pathOf(request).space, { ...request.query, state: ["dead-lettered"] });
      return listInvocations(doors, filter, request.query.cursor);
    },
  );

  app.post(
    "/spaces/:space/dead-letters/redrive",
    {
      config: spaceRoute("invocation.write"),
      schema: {
        tags,
        summary: "Send dead letters again, at a rate; dryRun tells which it would be",
        body: RedriveMany,
      },
    },
    async (request) => {
      const { space } = pathOf(request);
      const {
        perSecond = DEFAULT_PER_SECOND,
        dryRun = false,
        limit = DEFAULT_LIMIT,
        function: name,
        cursor,
      } = request.body;
      const filter = toFilter(space, {
        state: ["dead-lettered"],
        limit,
        ...(name === undefined ? {} : { function: name }),
      });
      const page = request.body.ids
        ? { data: request.body.ids.map((id) => ({ id })) }
        : await listInvocations(doors, filter, cursor);
      const ids = page.data.map(({ id }) => id);
      if (dryRun) return { dryRun, wouldRedrive: ids, ...("next" in page ? { next: page.next } : {}) };
      return { ...(await redriveAll(doors, space, ids, perSecond)), ...("next" in page ? { next: page.next } : {}) };
    },
  );
}

/** One after the other, at a rate. `left`: what the time of one request did not reach. */
async function redriveAll(doors: Doors, space: string, ids: readonly string[], perSecond: number) {
  const redriven: { id: string; redriveOf: string }[] = [];
  const failed: { id: string; code: string; detail: string }[] = [];
  const start = performance.now();
  for (const [at, redriveOf] of ids.entries()) {
    const dueMs = (at * 1000) / perSecond;
    if (dueMs > MAX_MS || performance.now() - start > MAX_MS) return { redriven, failed, left: ids.slice(at) };
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - (performance.now() - start))));
    try {
      if (!isId(redriveOf)) throw new FnbusError("invocation_not_found");
      redriven.push({ id: await redriveOne(doors, space, redriveOf), redriveOf });
    } catch (thrown) {
      const error = toFnbusError(thrown);
      failed.push({ id: redriveOf, code: error.code, detail: error.message });
    }
  }
  return { redriven, failed, left: [] };
}
