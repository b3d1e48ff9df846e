import { errors, type NatsConnection } from "@nats-io/transport-node";
import { BusError } from "./errors.ts";
import { createTeller, firstConnection, isRefusal, toFailure } from "./first-connection.ts";
import type { BusOptions } from "./types.ts";

export type Status = "connected" | "disconnected";

/** The client's connection, and whether it stands right now. */
export interface Connection {
  nc: NatsConnection;
  isConnected(): boolean;
  /** Of the server that we are, or were last, connected to: the client forgets both while it reconnects. */
  server(): { version: string; maxPayload: number };
  onStatus(listener: (status: Status) => void): () => void;
  /** Called with a subject that the broker does not let us publish to: it dropped the message. */
  onForbidden(listener: (subject: string) => void): void;
  /** Resolves at once or at the next reconnect; rejects with `closed`, or with the signal's reason. */
  whenConnected(signal?: AbortSignal): Promise<void>;
}

/**
 * Connects and follows the connection's state. When the first connection takes too long it rejects with `disconnected`,
 * or with `forbidden` where the broker refuses the credentials.
 */
export async function openConnection(options: BusOptions): Promise<Connection> {
  const tell = createTeller(options.onTrouble);
  const nc = await firstConnection(options, tell);
  const listeners = new Set<(status: Status) => void>();
  const forbidden = new Set<(subject: string) => void>();
  let connected = true;
  let server = { version: "", maxPayload: 0 };
  let read: typeof nc.info;
  const readServer = () => {
    const { info } = nc;
    if (info && info !== read) {
      read = info;
      server = { version: info.version, maxPayload: info.max_payload };
    }
    return server;
  };
  readServer();
  const change = (now: boolean) => {
    if (connected === now) return;
    connected = now;
    for (const listener of [...listeners]) listener(now ? "connected" : "disconnected");
  };
  const fail = (error: Error) => {
    if (isRefusal(error)) return tell(toFailure(options, error).message);
    if (!(error instanceof errors.PermissionViolationError)) return;
    tell(`the user ${options.user ?? "(none)"} is not allowed: ${error.message}`);
    if (error.operation === "publish") for (const listener of forbidden) listener(error.subject);
  };
  const follow = async () => {
    for await (const status of nc.status()) {
      if (status.type === "disconnect" || status.type === "staleConnection") change(false);
      else if (status.type === "reconnect") change(true);
      else if (status.type === "error") fail(status.error);
    }
  };
  void follow();
  void nc.closed().then(() => change(false));
  return {
    nc,
    isConnected: () => connected,
    server: readServer,
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onForbidden(listener) {
      forbidden.add(listener);
    },
    whenConnected(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (nc.isClosed()) return Promise.reject(new BusError("closed", "the bus is closed"));
      if (connected) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          listeners.delete(listener);
          signal?.removeEventListener("abort", onAbort);
          act();
        };
        const listener = (status: Status) => status === "connected" && settle(resolve);
        const onAbort = () => settle(() => reject(signal!.reason));
        listeners.add(listener);
        signal?.addEventListener("abort", onAbort, { once: true });
        void nc.closed().then(() => settle(() => reject(new BusError("closed", "the bus is closed"))));
      });
    },
  };
}
