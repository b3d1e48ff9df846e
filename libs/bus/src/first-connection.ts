import { setTimeout } from "node:timers/promises";
import { connect, errors, type NatsConnection } from "@nats-io/transport-node";
import { BusError } from "./errors.ts";
import type { BusOptions } from "./types.ts";

/** Longest single attempt at the first connection. */
const ATTEMPT_MS = 5_000;
const RECONNECT_MS = 250;
const RECONNECT_JITTER_MS = 500;
const PING_MS = 10_000;
const PINGS_OUT = 2;
/** Somebody who waits for a start hears why at once, and then this often. */
const TELL_MS = 10_000;

/** Names become a subject token (`_INBOX_<name>`), which permissions are written for. */
export const toInboxPrefix = (name: string): string => `_INBOX_${name.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;

/** Servers as they may be shown: a URL can carry a password. */
const toShown = (servers: string): string => servers.replaceAll(/\/\/[^@/,]*@/g, "//");

export const isRefusal = (error: unknown): boolean =>
  error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;

/** Why a connection did not come about: `forbidden` where the broker refused who we are, else `disconnected`. */
export function toFailure(options: BusOptions, error: unknown): BusError {
  const servers = toShown(options.servers);
  if (!isRefusal(error))
    return new BusError("disconnected", `cannot connect to ${servers}: ${(error as Error).message}`, { cause: error });
  const who = options.user === undefined ? "a connection without a user" : `the user ${options.user}`;
  return new BusError("forbidden", `${servers} refuses ${who}: check NATS_USER and NATS_PASSWORD`, { cause: error });
}

/** Tells what goes wrong over and over at once, and then every ten seconds. */
export function createTeller(tell: ((message: string) => void) | undefined): (message: string) => void {
  let tellAt = 0;
  return (message) => {
    const now = performance.now();
    if (now < tellAt) return;
    tellAt = now + TELL_MS;
    tell?.(message);
  };
}

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

/**
 * Tries until it is connected or the time is over: services and broker may start in any order, and credentials may be
 * given to the broker later. `tell` hears why it is still trying.
 */
export async function firstConnection(options: BusOptions, tell: (message: string) => void): Promise<NatsConnection> {
  const { connectTimeoutMs = 0 } = options;
  const until = connectTimeoutMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + connectTimeoutMs;
  for (;;) {
    try {
      return await attempt(options, Math.min(ATTEMPT_MS, Math.max(1, until - performance.now())));
    } catch (error) {
      const failure = toFailure(options, error);
      if (performance.now() + RECONNECT_MS >= until) throw failure;
      tell(`${failure.message}; trying again`);
      await setTimeout(RECONNECT_MS);
    }
  }
}
