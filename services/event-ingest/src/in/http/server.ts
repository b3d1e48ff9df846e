import { FnbusError, limits } from "@fnbus/contract";
import {
  createAdmission,
  createLoad,
  type Load,
  stopGracefully,
  takeUntilClosed,
  toServerOptions,
  watchLag,
} from "@fnbus/http";
import Fastify, { type FastifyInstance, type RouteOptions } from "fastify";
import { toAuthorization } from "./authorization.ts";
import type { Doors } from "./doors.ts";
import { sendFailure } from "./failures.ts";
import { answerHandshake } from "./handshake.ts";
import { receive } from "./receive.ts";

const PATH = "/events/:space/:trigger";

export interface Server {
  app: FastifyInstance;
  load: Load;
  /** Takes no new connection, answers what was taken, then closes. */
  stop(): Promise<void>;
}

/** Builds the HTTP server. It does not listen yet. */
export async function createServer(doors: Doors): Promise<Server> {
  const load = createLoad();
  const app = Fastify({
    ...toServerOptions(limits.headerBytes),
    bodyLimit: limits.requestBodyBytes,
    frameworkErrors: (error, request, reply) => void sendFailure(doors, error, request, reply),
  });
  // Node drops header lines over this silently.
  app.server.maxHeadersCount = 0;
  app.decorateRequest("caller", null);
  app.setErrorHandler((error, request, reply) => sendFailure(doors, error, request, reply));
  app.setNotFoundHandler((request, reply) => sendFailure(doors, toRouteError(request.url), request, reply));
  // What a body is, its trigger's type says, not its content type.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  const isLagging = await watchLag(app, doors.bounds.maxLagMs);
  const { access, rates, bounds } = doors;
  const admit = createAdmission({ keyById: access.keyById, rates, bounds, load, isLagging });
  app.addHook("onRequest", (request, reply, done) => {
    const { config, bodyLimit } = request.routeOptions;
    takeUntilClosed(load, request.raw, reply.raw, bodyLimit);
    try {
      const { space } = request.params as { space?: string };
      const authorization = toAuthorization(request.raw);
      request.caller = admit(request.raw, reply.raw, { scope: config.scope, space, bodyLimit, authorization });
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  const route: Pick<RouteOptions, "url" | "config"> = { url: PATH, config: { scope: "trigger.publish" } };
  app.route({ ...route, method: "POST", handler: (request, reply) => receive(doors, request, reply) });
  app.route({ ...route, method: "OPTIONS", handler: (request, reply) => answerHandshake(doors, request, reply) });
  return { app, load, stop: () => stopGracefully(app, load) };
}

const toRouteError = (url: string): FnbusError =>
  /^\/events\/[^/?]+\/[^/?]+(?:\?|$)/.test(url)
    ? new FnbusError("method_not_allowed", undefined, { details: { allow: "OPTIONS, POST" } })
    : new FnbusError("route_not_found", "events go to POST /events/{space}/{trigger}");
