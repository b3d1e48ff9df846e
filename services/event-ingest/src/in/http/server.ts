import underPressure from "@fastify/under-pressure";
import { FnbusError, limits } from "@fnbus/contract";
import { stopGracefully, toServerOptions } from "@fnbus/http";
import Fastify, { type FastifyInstance, type RouteOptions } from "fastify";
import { admit, type Load } from "./admission.ts";
import type { Doors } from "./doors.ts";
import { sendFailure } from "./failures.ts";
import { answerHandshake } from "./handshake.ts";
import { receive } from "./receive.ts";

/** Long enough that one slow collection of garbage is no overload, ms. */
const LAG_SAMPLE_MS = 2_000;
const PATH = "/events/:space/:trigger";

export interface Server {
  app: FastifyInstance;
  load: Load;
  /** Takes no new connection, answers what was taken, then closes. */
  stop(): Promise<void>;
}

/** Builds the HTTP server. It does not listen yet. */
export async function createServer(doors: Doors): Promise<Server> {
  const load: Load = { open: new Set(), bodyBytes: 0, stopping: false };
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

  await app.register(underPressure, {
    maxEventLoopDelay: doors.settings.maxLagMs,
    sampleInterval: LAG_SAMPLE_MS,
    pressureHandler: () => undefined,
  });
  const lagging = () => app.isUnderPressure();
  app.addHook("onRequest", (request, reply, done) => {
    try {
      admit(doors, load, lagging, request, reply);
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
