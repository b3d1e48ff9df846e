import {
  FnbusError,
  type RegisteredTrigger,
  type TriggerSettings as Settings,
  TriggerSettings,
  type TriggerStatus,
  withoutSecrets,
} from "@fnbus/contract";
import type { Static } from "typebox";
import { toNamePage } from "../../core/paging.ts";
import type { TriggerChange as Change } from "../../core/trigger-change.ts";
import { toStatus } from "../../core/trigger-status.ts";
import type { Doors } from "../doors.ts";
import { type App, pathOf, revisionOf, spaceRoute } from "./app.ts";
import { pageOf } from "./schemas.ts";
import { TriggerChange, TriggerFilter, TriggerView } from "./trigger-schemas.ts";

const tags = ["Triggers"];
const PAGE = 100;

/** The trigger as anybody may see it. `status` only where it was asked for. */
export function showTrigger(
  { trigger, revision }: RegisteredTrigger,
  status?: TriggerStatus,
): Static<typeof TriggerView> {
  const { dialect: _dialect, config, ...shown } = withoutSecrets(trigger);
  return { ...shown, config: { ...config }, revision, ...(status && { status }) };
}
export const etagOf = ({ revision }: RegisteredTrigger): string => `"${revision}"`;

export function triggerRoutes(app: App, { registry, triggers, triggerDefinitions: definitions, sources }: Doors): void {
  app.get(
    "/spaces/:space/triggers",
    {
      config: spaceRoute("trigger.read"),
      schema: {
        tags,
        summary: "List triggers with their state, by name",
        querystring: TriggerFilter,
        response: { 200: pageOf(TriggerView) },
      },
    },
    async (request) => {
      const { space } = pathOf(request);
      if (!registry.space(space)) throw new FnbusError("space_not_found");
      const { type, function: to, cursor, limit = PAGE } = request.query;
      const byName = new Map(
        triggers
          .triggersOf(space)
          .filter(({ trigger }) => (!type || trigger.type === type) && (!to || trigger.function?.name === to))
          .map((one) => [one.trigger.name, one]),
      );
      const page = toNamePage([...byName.keys()].sort(), cursor, limit);
      const found = page.names.map((name) => byName.get(name)!);
      const states = await sources.states(found.map(({ trigger }) => trigger));
      return {
        data: found.map((one) => showTrigger(one, toStatus(one.trigger, states))),
        ...(page.next && { next: page.next }),
      };
    },
  );

  app.post(
    "/spaces/:space/triggers",
    {
      config: spaceRoute("trigger.create"),
      schema: { tags, summary: "Create a trigger", body: TriggerSettings, response: { 201: TriggerView } },
    },
    async (request, reply) => {
      const { space } = pathOf(request);
      const made = await definitions.create(space, request.body as Settings);
      reply.header("location", `/v1/spaces/${space}/triggers/${made.trigger.name}`).header("etag", etagOf(made));
      return reply.code(201).send(showTrigger(made));
    },
  );

  app.get(
    "/spaces/:space/triggers/:name",
    {
      config: spaceRoute("trigger.read"),
      schema: { tags, summary: "Show a trigger, its state on every replica", response: { 200: TriggerView } },
    },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      const found = definitions.find(space, name);
      reply.header("etag", etagOf(found));
      return showTrigger(found, toStatus(found.trigger, await sources.states([found.trigger])));
    },
  );

  for (const [method, replace, summary] of [
    ["PUT", true, "Set a trigger: what is not named takes its default; secrets stay that are not told again"],
    ["PATCH", false, "Change some of a trigger; its config is merged, null takes a field away"],
  ] as const) {
    app.route({
      method,
      url: "/spaces/:space/triggers/:name",
      config: spaceRoute("trigger.update"),
      schema: { tags, summary, body: TriggerChange, response: { 200: TriggerView } },
      async handler(request, reply) {
        const { space, name } = pathOf(request);
        const { type, name: sentName, ...change } = request.body as Static<typeof TriggerChange>;
        const { trigger } = definitions.find(space, name);
        if (type !== undefined && type !== trigger.type) throw new FnbusError("trigger_type_fixed");
        if (sentName !== undefined && sentName !== name)
          throw new FnbusError("invalid_request", "a trigger cannot be renamed", { details: { field: "name" } });
        const changed = await definitions.change(space, name, change as Change, { replace, ...revisionOf(request) });
        reply.header("etag", etagOf(changed));
        return showTrigger(changed);
      },
    });
  }

  app.delete(
    "/spaces/:space/triggers/:name",
    { config: spaceRoute("trigger.delete"), schema: { tags, summary: "Delete a trigger" } },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      await definitions.remove(space, name);
      return reply.code(204).send();
    },
  );
}
