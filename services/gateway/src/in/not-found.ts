import { FnbusError } from "@fnbus/contract";
import type { FastifyInstance } from "fastify";

/**
 * Tells a wrong method (405 with Allow) from a path that no route has (404). Call before routes are registered.
 * Returns the error for a request that no route took.
 */
export function watchRoutes(app: FastifyInstance): (url: string) => FnbusError {
  const routes: { pattern: RegExp; method: string }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const pattern = new RegExp(
      `^${url
        .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
        .replace(/:[A-Za-z]+/g, "[^/]+")
        .replace(/\*$/, ".*")}$`,
    );
    for (const one of [method].flat()) routes.push({ pattern, method: one });
  });
  return (url) => {
    const path = url.split(/[?#]/, 1)[0]!;
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    return allowed.length === 0
      ? new FnbusError("route_not_found")
      : new FnbusError("method_not_allowed", undefined, { details: { allow: [...new Set(allowed)].join(", ") } });
  };
}
