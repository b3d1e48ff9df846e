import { answerBrokenRequest } from "./broken-request.ts";

/** RELIABILITY.md 2.12; Fastify's own default of 0 removes Node's guards. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 15_000;
/** Longer than load balancers keep an idle connection, so that they close first. */
const KEEP_ALIVE_MS = 72_000;
const MAX_REQUESTS_PER_SOCKET = 100_000;
const MAX_PARAM_LENGTH = 512;

/** Fastify's options of a server that strangers reach: bounded in every way, and silent about requests. */
export const toServerOptions = (maxHeaderBytes: number) => ({
  logger: false as const,
  requestIdHeader: false as const,
  genReqId: () => "",
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
  return503OnClosing: false,
  forceCloseConnections: "idle" as const,
  exposeHeadRoutes: false,
  trustProxy: false,
  routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 5_000, maxHeaderSize: maxHeaderBytes },
  clientErrorHandler: answerBrokenRequest,
});
