import type { PassThrough } from "node:stream";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { FnbusError, type LogLine } from "@fnbus/contract";
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { Doors } from "../doors.ts";
import { sendLogs } from "../log-stream.ts";
import { toReadyFunction } from "./ready.ts";

const DEFAULT_TAIL = 100;

const Query = Type.Object({
  since: Type.Optional(Type.String({ maxLength: 64 })),
  tail: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
});

/** SmartWorks' logs (wire-compatibility.md 7.2). */
export async function logRoutes(plain: FastifyInstance, doors: Doors): Promise<void> {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();
  const open = new Set<PassThrough>();
  app.get(
    "/spaces/:space/functions/:name/logs",
    {
      config: { dialect: "smartworks", scope: "function.read" },
      schema: { tags: ["SmartWorks"], summary: "Log lines as ndjson", querystring: Query },
    },
    async (request, reply) => {
      const { space, name } = request.params as { space: string; name: string };
      const { id } = toReadyFunction(doors.registry, space, name).definition;
      const { tail = DEFAULT_TAIL } = request.query;
      const since = toSince(request.query.since);
      const query = { space, name, registryId: id, tail, ...(since === undefined ? {} : { since }) };
      return sendLogs(doors.functionLogs, query, false, toSmartworksLine, open, reply);
    },
  );
}

/** RFC 3339. Throws `invalid_request`. */
export function toSince(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\d[Tt ]/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms) || ms < 0)
    throw new FnbusError("invalid_request", "since takes an RFC 3339 time", { details: { field: "since" } });
  return ms;
}

/** Nanoseconds, as SmartWorks writes them. */
const toSmartworksLine = ({ at, function: name, instance, text }: LogLine): string =>
  JSON.stringify({ name, instance, timestamp: `${new Date(at).toISOString().slice(0, -1)}000000Z`, text });
