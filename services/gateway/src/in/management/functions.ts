import { FnbusError, limits, type RegisteredFunction } from "@fnbus/contract";
import type { Static } from "typebox";
import type { SettingsInput } from "../../core/settings.ts";
import { fromBase64, type Source, toFiles } from "../../core/source.ts";
import type { Deployed } from "../../out/deployments.ts";
import type { Doors } from "../doors.ts";
import { toFunction } from "../smartworks/ready.ts";
import { type App, pathOf, revisionOf, spaceRoute } from "./app.ts";
import { FunctionChange, FunctionView, NewFunction, pageOf } from "./schemas.ts";

const tags = ["Functions"];
/** Base64 of the largest archive, with room for the rest. */
const SOURCE_BODY_BYTES = Math.ceil((limits.codeArchiveBytes * 4) / 3) + 1024 * 1024;

export const showFunction = ({ definition, revision }: RegisteredFunction) => ({ ...definition, revision });
export const showDeployed = ({ function: registered, warnings }: Deployed) => ({
  ...showFunction(registered),
  ...(warnings.length > 0 ? { warnings } : {}),
});
export const etagOf = ({ revision }: RegisteredFunction): string => `"${revision}"`;

export function functionRoutes(app: App, doors: Doors): void {
  const { registry, deployments } = doors;

  app.get(
    "/spaces/:space/functions",
    {
      config: spaceRoute("function.read"),
      schema: { tags, summary: "List functions", response: { 200: pageOf(FunctionView) } },
    },
    async (request) => {
      const { space } = pathOf(request);
      if (!registry.space(space)) throw new FnbusError("space_not_found");
      const all = registry.functionsOf(space).map(showFunction);
      return { data: all.sort((one, other) => (one.name < other.name ? -1 : 1)) };
    },
  );

  app.post(
    "/spaces/:space/functions",
    {
      config: spaceRoute("function.create"),
      bodyLimit: SOURCE_BODY_BYTES,
      schema: {
        tags,
        summary: "Create a function, with its code or before it",
        body: NewFunction,
        response: { 201: FunctionView },
      },
    },
    async (request, reply) => {
      const { space } = pathOf(request);
      const { name, source, ...settings } = request.body;
      const made = await deployments.create(space, name, settings as SettingsInput, toSource(source));
      reply.header("location", `/v1/spaces/${space}/functions/${name}`).header("etag", etagOf(made.function));
      return reply.code(201).send(showDeployed(made));
    },
  );

  app.get(
    "/spaces/:space/functions/:name",
    {
      config: spaceRoute("function.read"),
      schema: { tags, summary: "Show a function", response: { 200: FunctionView } },
    },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      const found = toFunction(registry, space, name);
      reply.header("etag", etagOf(found));
      return showFunction(found);
    },
  );

  for (const [method, replace, summary] of [
    ["PUT", true, "Set a function's settings: what is not named takes its default"],
    ["PATCH", false, "Change some of a function's settings, or its code"],
  ] as const) {
    app.route({
      method,
      url: "/spaces/:space/functions/:name",
      config: spaceRoute("function.update"),
      bodyLimit: SOURCE_BODY_BYTES,
      schema: { tags, summary, body: FunctionChange, response: { 200: FunctionView } },
      async handler(request, reply) {
        const { space, name } = pathOf(request);
        const { source: sent, ...settings } = request.body as Static<typeof FunctionChange>;
        const source = toSource(sent);
        const changed = await deployments.change(space, name, {
          settings: settings as SettingsInput,
          replace,
          ...(source ? { source } : {}),
          ...revisionOf(request),
        });
        reply.header("etag", etagOf(changed.function));
        return showDeployed(changed);
      },
    });
  }

  app.delete(
    "/spaces/:space/functions/:name",
    { config: spaceRoute("function.delete"), schema: { tags, summary: "Delete a function and its code" } },
    async (request, reply) => {
      const { space, name } = pathOf(request);
      const { id } = toFunction(registry, space, name).definition;
      await deployments.remove(space, name);
      doors.counts.forget(id);
      return reply.code(204).send();
    },
  );
}

/** Throws `code_missing` where neither or both are sent, and what the code itself is refused for. */
function toSource(source: { files?: Record<string, string>; zip?: string } | undefined): Source | undefined {
  if (source === undefined) return undefined;
  const { files, zip } = source;
  if ((files === undefined) === (zip === undefined)) throw new FnbusError("code_missing", "source takes files or zip");
  return files === undefined ? { zip: fromBase64(zip!) } : toFiles(files);
}
