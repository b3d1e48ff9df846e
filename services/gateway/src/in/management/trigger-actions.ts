import { checkAccess } from "@fnbus/signing";
import { toRuns } from "../../core/trigger-runs.ts";
import type { Doors } from "../doors.ts";
import { type App, pathOf, revisionOf, spaceRoute } from "./app.ts";
import { Runs, RunsFilter, TestedInvocations, TriggerReplay, TriggerTest, TriggerView } from "./trigger-schemas.ts";
import { etagOf, showTrigger } from "./triggers.ts";

const tags = ["Triggers"];
const NEXT_RUNS = 5;

/** What is done with a trigger beside changing it. */
export function triggerActionRoutes(app: App, { registry, triggerDefinitions: definitions, sources }: Doors): void {
  for (const [action, enabled, summary] of [
    ["pause", false, "Pause a trigger; brokers that keep its place keep it"],
    ["resume", true, "Resume a trigger; a schedule makes up for what its catch-up policy says"],
  ] as const) {
    app.post(
      `/spaces/:space/triggers/:name/${action}`,
      { config: spaceRoute("trigger.update"), schema: { tags, summary, response: { 200: TriggerView } } },
      async (request, reply) => {
        const { space, name } = pathOf(request);
        const changed = await definitions.change(space, name, { enabled }, revisionOf(request));
        reply.header("etag", etagOf(changed));
        return showTrigger(changed);
      },
    );
  }

  app.post(
    "/spaces/:space/triggers/:name/test",
    {
      config: spaceRoute("trigger.update"),
      schema: {
        tags,
        summary: "Invoke as for one event, or show what would be invoked; of a schedule: run now",
        description: "Needs the scope `function.invoke` too.",
        body: { anyOf: [TriggerTest, { type: "null" }] },
        response: { 200: TestedInvocations },
      },
    },
    async (request) => {
      const { space, name } = pathOf(request);
      checkAccess(request.caller!, "function.invoke", space);
      const { dryRun = false, event } = (request.body ?? {}) as { dryRun?: boolean; event?: unknown };
      return { invocations: await sources.test(definitions.find(space, name).trigger, dryRun, event) };
    },
  );

  app.post(
    "/spaces/:space/triggers/:name/replay",
    {
      config: spaceRoute("trigger.update"),
      schema: {
        tags,
        summary: "Begin anew: events that were taken before are taken again where the source sends them again",
        body: { anyOf: [TriggerReplay, { type: "null" }] },
        response: { 200: TriggerView },
      },
    },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      const { from } = (request.body ?? {}) as { from?: "latest" | "earliest" };
      const begun = await definitions.replay(space, name, from, revisionOf(request).revision);
      reply.header("etag", etagOf(begun));
      return showTrigger(begun);
    },
  );

  app.get(
    "/spaces/:space/triggers/:name/runs",
    {
      config: spaceRoute("trigger.read"),
      schema: {
        tags,
        summary: "When its schedules come due next; of a trigger without one: nothing",
        querystring: RunsFilter,
        response: { 200: Runs },
      },
    },
    async (request) => {
      const { space, name } = pathOf(request);
      const { trigger } = definitions.find(space, name);
      const { count = NEXT_RUNS } = request.query;
      return { data: toRuns(trigger, registry.functionsOf(space), Date.now(), count) };
    },
  );
}
