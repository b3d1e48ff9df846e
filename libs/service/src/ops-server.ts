import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What the operations port answers. `health` is shallow: the event loop turns. `ready` says why not. */
export interface OpsAnswers {
  health(): Record<string, unknown>;
  ready(): { ready: boolean; reasons: string[] };
  metrics(): Promise<string>;
}

/** GET /health, /ready and /metrics on a port of their own, so that they are never exposed with the API. */
export async function createOpsServer(
  host: string,
  port: number,
  answers: OpsAnswers,
): Promise<{ port: number; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(body);
    };
    if (request.method !== "GET") return send(405, "text/plain", "GET only\n");
    if (request.url === "/health") return send(200, "application/json", JSON.stringify(answers.health()));
    if (request.url === "/ready") {
      const state = answers.ready();
      return send(state.ready ? 200 : 503, "application/json", JSON.stringify(state));
    }
    if (request.url === "/metrics") {
      answers.metrics().then(
        (text) => send(200, "text/plain; version=0.0.4", text),
        () => send(500, "text/plain", "metrics cannot be read\n"),
      );
      return;
    }
    send(404, "text/plain", "/health, /ready or /metrics\n");
  });
  server.requestTimeout = 5_000;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
