import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { FnbusError, limits, type RegisteredFunction } from "@fnbus/contract";
import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { toNamePage } from "../../core/paging.ts";
import {
  type SmartworksInput,
  toSettingsInput,
  toSmartworksFunction,
  toTemplate,
} from "../../core/smartworks-function.ts";
import { fromBase64, isZip, type Source } from "../../core/source.ts";
import type { Doors } from "../doors.ts";
import { parseJsonBodies } from "../json.ts";
import { toFunction, toReadyFunction } from "./ready.ts";

/** Base64 of the largest archive, with room for the rest. */
const CODE_BODY_BYTES = Math.ceil((limits.codeArchiveBytes * 4) / 3) + 1024 * 1024;

/** Clients of SmartWorks send fields of their own along: what we do not know is not refused here. */
const Input = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 63 })),
  description: Type.Optional(Type.String({ maxLength: 512 })),
  template: Type.Optional(Type.String({ maxLength: 64 })),
  env: Type.Optional(
    Type.Record(Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" }), Type.String({ maxLength: 8192 })),
  ),
  options: Type.Optional(
    Type.Object({
      topics: Type.Optional(Type.String({ maxLength: 4096 })),
      schedule: Type.Optional(Type.String({ maxLength: 256 })),
    }),
  ),
  source: Type.Optional(Type.Object({ code: Type.Optional(Type.String()) })),
});
const Page = Type.Object({
  cursor: Type.Optional(Type.String({ maxLength: 256 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
interface Named {
  space: string;
  name: string;
}

/** SmartWorks' functions API (wire-compatibility.md 7.2). */
export async function functionRoutes(plain: FastifyInstance, doors: Doors): Promise<void> {
  parseJsonBodies(plain);
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();
  const { registry, deployments } = doors;
  const tags = ["SmartWorks"];
  const dialect = "smartworks";

  const show = (registered: RegisteredFunction) => {
    const { id } = registered.definition;
    const warm = doors.executors.warm(id, Date.now());
    const invocations = doors.counts.invocationsOf(id);
    return toSmartworksFunction(registered, { invocations, replicas: warm, available_replicas: warm });
  };

  app.post(
    "/spaces/:space/functions",
    {
      config: { dialect, scope: "function.create" },
      bodyLimit: CODE_BODY_BYTES,
      schema: { tags, summary: "Create a function", body: Input },
    },
    async (request, reply) => {
      const { space } = request.params as Named;
      const input = toInput(request.body);
      const template = toTemplate(input.template ?? "python3-http");
      if (!input.source?.code) throw new FnbusError("code_missing");
      const { function: made } = await deployments.create(
        space,
        input.name ?? "",
        toSettingsInput(input, template),
        toSource(input.source.code, template.file),
      );
      return reply.code(201).send(show(made));
    },
  );

  app.get(
    "/spaces/:space/functions",
    { config: { dialect, scope: "function.read" }, schema: { tags, summary: "List functions", querystring: Page } },
    async (request) => {
      const { space } = request.params as Named;
      if (!registry.space(space)) throw new FnbusError("space_not_found");
      const { cursor, limit } = request.query;
      const byName = new Map(registry.functionsOf(space).map((one) => [one.definition.name, one]));
      const page = toNamePage([...byName.keys()].sort(), cursor, limit);
      return {
        data: page.names.map((name) => show(byName.get(name)!)),
        paging: { next_cursor: page.next, previous_cursor: page.previous },
      };
    },
  );

  app.get(
    "/spaces/:space/functions/:name",
    { config: { dialect, scope: "function.read" }, schema: { tags, summary: "Show a function" } },
    async (request) => {
      const { space, name } = request.params as Named;
      return show(toFunction(registry, space, name));
    },
  );

  app.put(
    "/spaces/:space/functions/:name",
    {
      config: { dialect, scope: "function.update" },
      bodyLimit: CODE_BODY_BYTES,
      schema: { tags, summary: "Change a function", body: Input },
    },
    async (request) => {
      const { space, name } = request.params as Named;
      const input = toInput(request.body);
      if (input.name !== undefined && input.name !== name)
        throw new FnbusError("invalid_request", "a function cannot be renamed", { details: { field: "name" } });
      const template = input.template === undefined ? undefined : toTemplate(input.template);
      const file =
        template?.file ??
        (toFunction(registry, space, name).definition.settings.runtime === "python" ? "handler.py" : "index.js");
      const source = input.source?.code ? { source: toSource(input.source.code, file) } : {};
      const changed = await deployments.change(space, name, { settings: toSettingsInput(input, template), ...source });
      return show(changed.function);
    },
  );

  app.delete(
    "/spaces/:space/functions/:name",
    { config: { dialect, scope: "function.delete" }, schema: { tags, summary: "Delete a function" } },
    async (request, reply) => {
      const { space, name } = request.params as Named;
      const { id } = toFunction(registry, space, name).definition;
      await deployments.remove(space, name);
      doors.counts.forget(id);
      return reply.code(204).send();
    },
  );

  app.get(
    "/spaces/:space/functions/:name/code",
    { config: { dialect, scope: "function.read" }, schema: { tags, summary: "The function's code as base64" } },
    async (request) => {
      const { space, name } = request.params as Named;
      return { code: (await deployments.plainCode(toReadyFunction(registry, space, name))).toString("base64") };
    },
  );
}

const toInput = (body: Static<typeof Input> | undefined): SmartworksInput => (body ?? {}) as SmartworksInput;

/** SmartWorks' code is base64 of a ZIP archive, or of the handler's one file. */
function toSource(code: string, file: string): Source {
  const bytes = fromBase64(code);
  return isZip(bytes) ? { zip: bytes } : { files: new Map([[file, bytes]]) };
}
