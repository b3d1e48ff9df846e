import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { FnbusError, type RegisteredTrigger } from "@fnbus/contract";
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import { toNamePage } from "../../core/paging.ts";
import {
  isSmartworksType,
  type SmartworksTrigger,
  toSmartworksChange,
  toSmartworksSettings,
  toSmartworksTrigger,
  toTriggerId,
} from "../../core/smartworks-trigger.ts";
import { toStatus } from "../../core/trigger-status.ts";
import type { Doors } from "../doors.ts";
import { parseJsonBodies } from "../json.ts";

/** Clients of SmartWorks send fields of their own along: what we do not know is not refused here. */
const Input = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 63 })),
  description: Type.Optional(Type.String({ maxLength: 512 })),
  type: Type.Optional(Type.String({ maxLength: 64 })),
  config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  callback_url: Type.Optional(Type.Union([Type.String({ maxLength: 2048 }), Type.Null()])),
});
const Page = Type.Object({
  type: Type.Optional(Type.String({ maxLength: 64 })),
  cursor: Type.Optional(Type.String({ maxLength: 256 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
});

/** SmartWorks' triggers API (wire-compatibility.md 7.2, 7.4). Triggers of other types are seen below /v1 alone. */
export async function triggerRoutes(plain: FastifyInstance, doors: Doors): Promise<void> {
  parseJsonBodies(plain);
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();
  const { registry, triggers, triggerDefinitions: definitions, sources } = doors;
  const tags = ["SmartWorks"];
  const dialect = "smartworks";

  /** By the ULID that we show, by our own id, or by the name. */
  function find(params: unknown): RegisteredTrigger {
    const { space, triggerId } = params as { space: string; triggerId: string };
    const id = toTriggerId(triggerId);
    const found = (id && triggers.triggerById(id)) || definitions.find(space, triggerId);
    if (found.trigger.space !== space || !isSmartworksType(found.trigger.type))
      throw new FnbusError("trigger_not_found");
    return found;
  }
  const show = async ({ trigger }: RegisteredTrigger) =>
    toSmartworksTrigger(trigger, toStatus(trigger, await sources.states([trigger])));

  app.post(
    "/spaces/:space/triggers",
    { config: { dialect, scope: "trigger.create" }, schema: { tags, summary: "Create a trigger", body: Input } },
    async (request, reply) => {
      const { space } = request.params as { space: string };
      const made = await definitions.create(space, toSmartworksSettings(request.body as SmartworksTrigger));
      return reply.code(201).send(toSmartworksTrigger(made.trigger));
    },
  );

  app.get(
    "/spaces/:space/triggers",
    { config: { dialect, scope: "trigger.read" }, schema: { tags, summary: "List triggers", querystring: Page } },
    async (request) => {
      const { space } = request.params as { space: string };
      if (!registry.space(space)) throw new FnbusError("space_not_found");
      const { type, cursor, limit } = request.query;
      const byName = new Map(
        triggers
          .triggersOf(space)
          .map(({ trigger }) => trigger)
          .filter((one) => isSmartworksType(one.type) && (!type || one.type === type))
          .map((one) => [one.name, one]),
      );
      const page = toNamePage([...byName.keys()].sort(), cursor, limit);
      const found = page.names.map((name) => byName.get(name)!);
      const states = await sources.states(found);
      return {
        data: found.map((one) => toSmartworksTrigger(one, toStatus(one, states))),
        paging: { next_cursor: page.next, previous_cursor: page.previous },
      };
    },
  );

  const one = "/spaces/:space/triggers/:triggerId";
  app.get(
    one,
    { config: { dialect, scope: "trigger.read" }, schema: { tags, summary: "Show a trigger" } },
    async (request) => show(find(request.params)),
  );

  app.put(
    one,
    {
      config: { dialect, scope: "trigger.update" },
      schema: { tags, summary: "Change a trigger; a password that is not sent stays", body: Input },
    },
    async (request) => {
      const { trigger } = find(request.params);
      const change = toSmartworksChange(trigger, request.body as SmartworksTrigger);
      return show(await definitions.change(trigger.space, trigger.name, change));
    },
  );

  app.delete(
    one,
    { config: { dialect, scope: "trigger.delete" }, schema: { tags, summary: "Delete a trigger" } },
    async (request, reply) => {
      const { space, name } = find(request.params).trigger;
      await definitions.remove(space, name);
      return reply.code(204).send();
    },
  );
}
