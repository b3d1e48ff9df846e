import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { FnbusError, type Scope } from "@fnbus/contract";
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from "fastify";

/** A Fastify instance whose handlers are typed by their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Path parameters of the routes, all of them texts. */
export const pathOf = (request: FastifyRequest): { space: string; name: string; id: string } =>
  request.params as { space: string; name: string; id: string };

/** A route of one space, or of what the key may see, by its scope. */
export const spaceRoute = (scope: Scope) => ({ dialect: "management", scope }) as const;
/** A route of the whole platform: for keys of all spaces. */
export const platformRoute = (scope: Scope) => ({ dialect: "management", scope, platform: true }) as const;

/** If-Match as a revision; undefined where the caller does not care. Throws `revision_conflict` for what is no revision. */
export function revisionOf(request: FastifyRequest): { revision?: number } {
  const text = request.headers["if-match"];
  if (text === undefined || text === "*") return {};
  const revision = /^(?:W\/)?"?(\d{1,15})"?$/.exec(text)?.[1];
  if (revision === undefined) throw new FnbusError("revision_conflict", "If-Match holds no revision of ours");
  return { revision: Number(revision) };
}

/** RFC 3339 or milliseconds since 1970. Throws `invalid_request`. */
export function toTime(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms) || ms > 8.64e15)
    throw new FnbusError("invalid_request", `${field} takes an RFC 3339 time`, { details: { field } });
  return ms;
}
