import { Server } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Load } from "./load.ts";

/** Connections in use answer once more, and say that they close, within this time: no request is cut off by the stop. */
const LAST_ANSWERS_MS = 1_000;
const STEP_MS = 50;

/**
 * Stops listening but keeps every connection: each answer from now on carries Connection: close, so that clients leave by
 * themselves. Then closes the rest, idle ones first, and waits for what is still being answered.
 */
export async function stopGracefully(app: FastifyInstance, load: Load): Promise<void> {
  load.stopping = true;
  for (const response of load.open) if (!response.headersSent) response.setHeader("connection", "close");
  // Not http's own close: that cuts idle connections, on one of which a request may just be arriving.
  const { server } = app;
  Server.prototype.close.call(server);
  const end = performance.now() + LAST_ANSWERS_MS;
  const count = () => new Promise<number>((resolve) => server.getConnections((_error, open) => resolve(open)));
  while (performance.now() < end && (await count()) > 0) await setTimeout(STEP_MS);
  let closed = false;
  const closing = app.close().finally(() => {
    closed = true;
  });
  while (!closed) {
    // A connection on which no request ever came is not idle in http's sense, and would stay for its keep-alive time.
    if (load.open.size === 0) server.closeAllConnections();
    else server.closeIdleConnections();
    await Promise.race([closing, setTimeout(STEP_MS)]);
  }
  await closing;
}
