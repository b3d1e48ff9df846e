import { CodeVersion, limits } from "@fnbus/contract";
import type { Doors } from "../doors.ts";
import { toFunction } from "../smartworks/ready.ts";
import { type App, pathOf, revisionOf, spaceRoute } from "./app.ts";
import { etagOf, showDeployed } from "./functions.ts";
import { FunctionView, pageOf, Rollback } from "./schemas.ts";

const tags = ["Code"];
const ZIP = "application/zip";

export function codeRoutes(app: App, { registry, deployments }: Doors): void {
  app.addContentTypeParser(
    [ZIP, "application/octet-stream", "application/x-zip-compressed"],
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );

  app.put(
    "/spaces/:space/functions/:name/code",
    {
      config: spaceRoute("function.update"),
      bodyLimit: limits.codeArchiveBytes,
      schema: { tags, summary: "Put a ZIP archive as the new code", consumes: [ZIP], response: { 200: FunctionView } },
    },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      const zip = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const changed = await deployments.change(space, name, { source: { zip }, ...revisionOf(request) });
      reply.header("etag", etagOf(changed.function));
      return showDeployed(changed);
    },
  );

  app.get(
    "/spaces/:space/functions/:name/code",
    {
      config: spaceRoute("function.read"),
      schema: { tags, summary: "The present code as a ZIP archive", produces: [ZIP] },
    },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      const archive = await deployments.code(toFunction(registry, space, name));
      return reply.type(ZIP).send(archive);
    },
  );

  app.get(
    "/spaces/:space/functions/:name/code/versions",
    {
      config: spaceRoute("function.read"),
      schema: { tags, summary: "Versions of the code, newest first", response: { 200: pageOf(CodeVersion) } },
    },
    async (request) => {
      const { space, name } = pathOf(request);
      return { data: deployments.versions(toFunction(registry, space, name)) };
    },
  );

  app.post(
    "/spaces/:space/functions/:name/code/rollback",
    {
      config: spaceRoute("function.update"),
      schema: {
        tags,
        summary: "Go back to an earlier version of the code",
        body: Rollback,
        response: { 200: FunctionView },
      },
    },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      const { revision } = revisionOf(request);
      const changed = await deployments.rollback(space, name, request.body.version, revision);
      reply.header("etag", etagOf(changed.function));
      return showDeployed(changed);
    },
  );
}
