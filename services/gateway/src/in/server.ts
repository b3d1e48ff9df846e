import type { RequestListener } from "node:http";
import underPressure from "@fastify/under-pressure";
import { limits } from "@fnbus/contract";
import { stopGracefully, toServerOptions } from "@fnbus/http";
import { Ajv } from "ajv";
import Fastify, { type FastifyInstance } from "fastify";
import { createAdmission, toHeldBytes } from "./admission.ts";
import type { Doors } from "./doors.ts";
import { sendFailure } from "./failures.ts";
import { createLoad, type Load } from "./load.ts";
import { managementRoutes } from "./management/routes.ts";
import { watchRoutes } from "./not-found.ts";
import { describeApi } from "./openapi.ts";
import { type CallDoor, createCallDoor } from "./smartworks/call-door.ts";
import { functionRoutes } from "./smartworks/functions.ts";
import { invokeRoutes } from "./smartworks/invoke.ts";
import { logRoutes } from "./smartworks/logs.ts";
import { oauthRoutes } from "./smartworks/oauth.ts";
import { triggerRoutes } from "./smartworks/triggers.ts";

/** Above `limits.headerBytes`, so that the usual excess is answered by a route and in its own words. */
const NODE_HEADER_BYTES = limits.headerBytes + 16 * 1024;
/** Long enough that one slow collection of garbage, or a machine busy with starting, is no overload, ms. */
const LAG_SAMPLE_MS = 2_000;

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
    ...toServerOptions(NODE_HEADER_BYTES),
    bodyLimit: limits.requestBodyBytes,
    frameworkErrors: (error, request, reply) => void sendFailure(doors, error, request, reply),
  });
  // Node drops header lines over this silently; our own limit answers instead.
  app.server.maxHeadersCount = 0;
  app.decorateRequest("caller", null);
  useValidation(app);
  app.setErrorHandler((error, request, reply) => sendFailure(doors, error, request, reply));
  const refuseRoute = watchRoutes(app);
  app.setNotFoundHandler((request, reply) => sendFailure(doors, refuseRoute(request.raw.url ?? "/"), request, reply));

  await app.register(underPressure, {
    maxEventLoopDelay: doors.settings.maxLagMs,
    sampleInterval: LAG_SAMPLE_MS,
    pressureHandler: () => undefined,
  });
  const admit = createAdmission(doors, load, () => app.isUnderPressure());
  app.addHook("onRequest", (request, reply, done) => {
    const { config, bodyLimit } = request.routeOptions;
    if (config.takesRaw) return done();
    const release = load.take(reply.raw, toHeldBytes(request.raw, bodyLimit));
    // Fastify's onResponse does not hear of a connection that is gone.
    reply.raw.once("close", release);
    try {
      const { space } = request.params as { space?: string };
      request.caller = admit(request.raw, reply.raw, { ...config, bodyLimit, space });
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  await describeApi(app);
  const calls = createCallDoor(doors, load, admit);
  takeFirst(app, calls.take);
  await app.register((scope) => invokeRoutes(scope, calls.serve));
  await app.register((scope) => functionRoutes(scope, doors));
  await app.register((scope) => logRoutes(scope, doors));
  await app.register((scope) => triggerRoutes(scope, doors));
  await app.register((scope) => oauthRoutes(scope, doors));
  await app.register((scope) => managementRoutes(scope, doors), { prefix: "/v1" });
  return { app, load, stop: () => stopGracefully(app, load) };
}

/** Requests go to `take` before they go to the router, if it leaves them. */
function takeFirst({ server }: FastifyInstance, take: CallDoor["take"]): void {
  const [route] = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    if (!take(request, response)) route!(request, response);
  });
}

/** Bodies are taken as they are, with unknown fields refused; queries are texts, so they are converted. */
function useValidation(app: FastifyInstance): void {
  const base = { removeAdditional: false, useDefaults: true, allErrors: false, strict: false } as const;
  const exact = new Ajv({ ...base, coerceTypes: false });
  const converting = new Ajv({ ...base, coerceTypes: "array" });
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === "body" ? exact : converting).compile(schema));
  // Response schemas describe; they neither drop fields nor fail.
  app.setSerializerCompiler(() => JSON.stringify);
}
