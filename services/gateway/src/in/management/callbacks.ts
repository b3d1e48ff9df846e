import { FnbusError, isId } from "@fnbus/contract";
import type { Doors } from "../doors.ts";
import { type App, pathOf, platformRoute, spaceRoute } from "./app.ts";
import { Resume } from "./schemas.ts";

const tags = ["Callbacks"];

export function callbackRoutes(app: App, { callbacks }: Doors): void {
  app.post(
    "/spaces/:space/invocations/:id/callback/redrive",
    {
      config: spaceRoute("invocation.write"),
      schema: { tags, summary: "Deliver an ended invocation's callback again" },
    },
    async (request, reply) => {
      const { space, id } = pathOf(request);
      if (!isId(id)) throw new FnbusError("invocation_not_found");
      await callbacks.ask({ ask: "redrive", space, id });
      return reply.code(202).send({ id });
    },
  );

  app.get(
    "/callbacks/endpoints",
    { config: platformRoute("admin"), schema: { tags, summary: "Hosts that callbacks go to, and which are paused" } },
    async () => {
      const answer = await callbacks.ask({ ask: "endpoints" });
      return { data: answer.answer === "endpoints" ? answer.endpoints : [] };
    },
  );

  app.post(
    "/callbacks/endpoints/resume",
    { config: platformRoute("admin"), schema: { tags, summary: "Call a paused host again", body: Resume } },
    async (request) => {
      await callbacks.ask({ ask: "resume", host: request.body.host });
      return { host: request.body.host, paused: false };
    },
  );
}
