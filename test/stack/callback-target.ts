import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Delivery {
  id: string;
  at: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Where functions and callbacks of a journey report to: the client's own record of what was delivered and what ran. */
export interface CallbackTarget {
  /** As the platform reaches it. */
  url(path: string): string;
  /** Another receiver, on a port of its own, that never answers. */
  hangingUrl(path: string): string;
  /** Every delivery that was answered 2xx, by invocation id. */
  delivered: Map<string, Delivery[]>;
  /** Deliveries that came, answered or not. */
  arrived: Map<string, Delivery[]>;
  /** How often a function reported a run, by the token it was called with. */
  runs: Map<string, number>;
  /** How it meets callbacks: takes them, or refuses them with a status. */
  behave(how: "take" | number): void;
  /** Refuses connections until `open`. */
  close(): Promise<void>;
  open(): Promise<void>;
  stop(): Promise<void>;
}

const emptyDelivery = { at: 0, headers: {}, body: "" };

const closeAtOnce = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/** `reachedAs`: the host name under which the platform reaches this process. */
export async function createCallbackTarget(listenOn: string, reachedAs: string): Promise<CallbackTarget> {
  const delivered: CallbackTarget["delivered"] = new Map();
  const arrived: CallbackTarget["arrived"] = new Map();
  const runs: CallbackTarget["runs"] = new Map();
  let how: "take" | number = "take";
  let server: Server | undefined;
  let port = 0;

  const note = (where: Map<string, Delivery[]>, delivery: Delivery) => {
    const list = where.get(delivery.id) ?? [];
    list.push(delivery);
    where.set(delivery.id, list);
  };
  const countRun = (token: string) => runs.set(token, (runs.get(token) ?? 0) + 1);
  const open = async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const ran = /^\/ran\/([^/?]+)/.exec(request.url ?? "")?.[1];
        if (ran !== undefined) {
          countRun(ran);
          return response.end();
        }
        if (request.url === "/reports") {
          for (const token of JSON.parse(Buffer.concat(parts).toString("utf8")) as string[]) countRun(token);
          return response.end();
        }
        const id = String(request.headers["webhook-id"] ?? "");
        const delivery = { id, at: Date.now(), headers: request.headers, body: Buffer.concat(parts).toString("utf8") };
        note(arrived, delivery);
        if (how === "take") note(delivered, delivery);
        response.statusCode = how === "take" ? 204 : how;
        response.end();
      });
    });
    await new Promise<void>((resolve, reject) => server!.once("error", reject).listen(port, listenOn, resolve));
    port = (server.address() as AddressInfo).port;
  };
  const close = async () => {
    const closing = server;
    server = undefined;
    if (closing) await closeAtOnce(closing);
  };
  await open();
  const deaf = createServer((request) =>
    note(arrived, { ...emptyDelivery, id: String(request.headers["webhook-id"]) }),
  );
  await new Promise<void>((resolve) => deaf.listen(0, listenOn, resolve));
  return {
    url: (path) => `http://${reachedAs}:${port}${path}`,
    hangingUrl: (path) => `http://${reachedAs}:${(deaf.address() as AddressInfo).port}${path}`,
    delivered,
    arrived,
    runs,
    behave(next) {
      how = next;
    },
    close,
    open,
    async stop() {
      await close();
      await closeAtOnce(deaf);
    },
  };
}
