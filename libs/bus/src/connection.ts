import { setTimeout } from "node:timers/promises";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { BusError } from "./errors.ts";
import type { BusOptions } from "./types.ts";

export type Status = "connected" | "disconnected";

/** The client's connection, and whether it stands right now. */
export interface Connection {
  nc: NatsConnection;
  isConnected(): boolean;
  /** Of the server that we are, or were last, connected to: the client forgets both while it reconnects. */
  server(): { version: string; maxPayload: number };
  onStatus(listener: (status: Status) => void): () => void;
  /** Resolves at once or at the next reconnect; rejects with `closed`, or with the signal's reason. */
  whenConnected(signal?: AbortSignal): Promise<void>;
}

/** Longest single attempt at the first connection. */
const ATTEMPT_MS = 5_000;
const RECONNECT_MS = 250;
const RECONNECT_JITTER_MS = 500;
const PING_MS = 10_000;
const PINGS_OUT = 2;

/** Names become a subject token (`_INBOX_<name>`), which permissions are written for. */
export const toInboxPrefix = (name: string): string => `_INBOX_${name.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;

/** One connection attempt, of each server in turn. */
const attempt = (options: BusOptions, timeoutMs: number): Promise<NatsConnection> =>
  connect({
    servers: options.servers.split(",").map((server) => server.trim()),
    name: options.name,
    inboxPrefix: toInboxPrefix(options.name),
    timeout: timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    pingInterval: PING_MS,
    maxPingOut: PINGS_OUT,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    ...(options.user === undefined ? {} : { user: options.user, pass: options.password ?? "" }),
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });

/** Tries until it is connected or the time is over: services and broker may start in any order. */
async function firstConnection(options: BusOptions): Promise<NatsConnection> {
  const { connectTimeoutMs = 0 } = options;
  const until = connectTimeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + connectTimeoutMs;
  for (;;) {
    try {
      return await attempt(options, Math.min(ATTEMPT_MS, Math.max(1, until - performance.now())));
    } catch (error) {
      if (performance.now() + RECONNECT_MS >= until) {
        const message = `cannot connect to ${options.servers}: ${(error as Error).message}`;
        throw new BusError("disconnected", message, { cause: error });
      }
      await setTimeout(RECONNECT_MS);
    }
  }
}

/** Connects and follows the connection's state. Rejects with `disconnected` when the first connection takes too long. */
export async function openConnection(options: BusOptions): Promise<Connection> {
  const nc = await firstConnection(options);
  const listeners = new Set<(status: Status) => void>();
  let connected = true;
  let server = { version: "", maxPayload: 0 };
  const readServer = () => {
    if (nc.info) server = { version: nc.info.version, maxPayload: nc.info.max_payload };
    return server;
  };
  readServer();
  const change = (now: boolean) => {
    if (connected === now) return;
    connected = now;
    for (const listener of [...listeners]) listener(now ? "connected" : "disconnected");
  };
  const follow = async () => {
    for await (const status of nc.status()) {
      if (status.type === "disconnect" || status.type === "staleConnection") change(false);
      else if (status.type === "reconnect") change(true);
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
