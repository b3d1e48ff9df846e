import { FnbusError, Space } from "@fnbus/contract";
import { deriveSpaceSecret, maySee } from "@fnbus/signing";
import Type from "typebox";
import type { Doors } from "../doors.ts";
import { type App, pathOf, platformRoute, spaceRoute } from "./app.ts";
import { NewSpace, pageOf } from "./schemas.ts";

const tags = ["Spaces"];

export function spaceRoutes(app: App, { registry, triggers, settings }: Doors): void {
  app.get(
    "/spaces",
    {
      config: spaceRoute("function.read"),
      schema: { tags, summary: "Spaces that the key may see", response: { 200: pageOf(Space) } },
    },
    async (request) => ({
      data: registry
        .spaces()
        .filter(({ name }) => maySee(request.caller!, name))
        .sort((one, other) => (one.name < other.name ? -1 : 1)),
    }),
  );

  app.post(
    "/spaces",
    {
      config: platformRoute("admin"),
      schema: { tags, summary: "Create a space", body: NewSpace, response: { 201: Space } },
    },
    async (request, reply) => {
      const space = { ...request.body, createdAt: Date.now() };
      await registry.createSpace(space);
      return reply.code(201).header("location", `/v1/spaces/${space.name}`).send(space);
    },
  );

  app.get(
    "/spaces/:space",
    { config: spaceRoute("function.read"), schema: { tags, summary: "Show a space", response: { 200: Space } } },
    async (request) => {
      const space = registry.space(pathOf(request).space);
      if (!space) throw new FnbusError("space_not_found");
      return space;
    },
  );

  app.delete(
    "/spaces/:space",
    { config: spaceRoute("admin"), schema: { tags, summary: "Delete an empty space" } },
    async (request, reply) => {
      const { space } = pathOf(request);
      if (triggers.triggersOf(space).length > 0) throw new FnbusError("space_not_empty");
      await registry.deleteSpace(space);
      return reply.code(204).send();
    },
  );

  app.get(
    "/spaces/:space/signing-secret",
    {
      config: spaceRoute("admin"),
      schema: {
        tags,
        summary: "The secret that the space's callbacks are signed with (Standard Webhooks)",
        response: { 200: Type.Object({ secret: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { space } = pathOf(request);
      if (!registry.space(space)) throw new FnbusError("space_not_found");
      reply.header("cache-control", "no-store");
      return { secret: deriveSpaceSecret(settings.signingSecret, space) };
    },
  );
}
