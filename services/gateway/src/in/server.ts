import type { RequestListener } from "node:http";
import { limits } from "@fnbus/contract";
import {
  createAdmission,
  createLoad,
  type Load,
  stopGracefully,
  takeUntilClosed,
  toServerOptions,
  watchLag,
} from "@fnbus/http";
import { Ajv } from "ajv";
import Fastify, { type FastifyInstance } from "fastify";
import type { Doors } from "./doors.ts";
import { sendFailure } from "./failures.ts";
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

  const isLate = await watchLag(app, doors.bounds.maxLagMs);
  const admit = createAdmission({
    ...{ keyById: doors.access.keyById, rates: doors.rates, bounds: doors.bounds, load },
    // Who manages the platform may see to what makes it late.
    isLagging: ({ scope }) => scope === "function.invoke" && isLate(),
  });
  app.addHook("onRequest", (request, reply, done) => {
    const { config, bodyLimit } = request.routeOptions;
    if (config.takesRaw) return done();
    takeUntilClosed(load, request.raw, reply.raw, bodyLimit);
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
