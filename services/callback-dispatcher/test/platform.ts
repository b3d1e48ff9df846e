import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Bus, connectBus } from "@fnbus/bus";
import { readConfig } from "@fnbus/config";
import {
  decodeEntryPack,
  encodeEntryPack,
  type FreeRecord,
  type OutcomeRecord,
  platformStorage,
  streams,
  subjects,
} from "@fnbus/contract";
import type { RunningService } from "@fnbus/service";
import { createLogger, createMetrics, createTracing } from "@fnbus/telemetry";
import { type NatsServer, type RedisServer, startNats, startRedis } from "@fnbus/testing";
import { startCallbackDispatcher } from "../src/app.ts";
import { Config } from "../src/config.ts";

export const MASTER = "a master secret of the tests";
const MB = 1024 * 1024;

/** NATS, Redis and the platform's streams, for one test file. */
export interface Platform {
  nats: NatsServer;
  redis: RedisServer;
  bus: Bus;
  /** Variables that a dispatcher of this platform is started with. */
  variables(extra?: Record<string, string>): Record<string, string>;
  startDispatcher(extra?: Record<string, string>): Promise<RunningService>;
  stop(): Promise<void>;
}

export async function startPlatform(): Promise<Platform> {
  const [nats, redis] = await Promise.all([startNats(), startRedis()]);
  const bus = await connectBus({ servers: nats.url, name: "test" });
  await bus.provision(
    platformStorage({ partitions: 1, replicas: 1, sizes: { outcomes: 64 * MB, callbacks: 64 * MB } }),
  );
  const variables = (extra: Record<string, string> = {}) => ({
    NATS_URL: nats.url,
    REDIS_URL: redis.url,
    FNBUS_SIGNING_SECRET: MASTER,
    FNBUS_CALLBACK_ALLOW_LOOPBACK: "true",
    FNBUS_CALLBACK_SCHEDULE: "100ms,100ms,200ms,200ms,200ms",
    FNBUS_LOG_LEVEL: "silent",
    ...extra,
  });
  return {
    nats,
    redis,
    bus,
    variables,
    async startDispatcher(extra) {
      const config = readConfig(Config, variables(extra));
      const own = await connectBus({ servers: nats.url, name: "callback-dispatcher" });
      const running = await startCallbackDispatcher({
        name: "callback-dispatcher",
        config,
        bus: own,
        logger: createLogger("callback-dispatcher", config.FNBUS_LOG_LEVEL),
        metrics: createMetrics("callback-dispatcher"),
        tracing: await createTracing("callback-dispatcher"),
      });
      return {
        ...running,
        async stop() {
          await running.stop();
          await own.drain();
        },
      };
    },
    async stop() {
      await bus.drain();
      await Promise.all([nats.stop(), redis.stop()]);
    },
  };
}

export interface Received {
  id: string;
  at: number;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** An outside endpoint. `answer` decides; by default 204. */
export interface Receiver {
  url: string;
  host: string;
  received: Received[];
  stop(): Promise<void>;
}

export async function startReceiver(
  answer: (response: ServerResponse, received: Received, request: IncomingMessage) => void = (response) =>
    response.writeHead(204).end(),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const one: Received = {
      id: String(request.headers["webhook-id"]),
      at: performance.now(),
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: Buffer.concat(parts),
    };
    received.push(one);
    answer(response, one, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    host: `127.0.0.1:${port}`,
    received,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Appends outcomes as the ledger does, in packs. Returns the sequence of the last. */
export async function putOutcomes(
  bus: Bus,
  outcomes: readonly OutcomeRecord[],
  body: Uint8Array = Buffer.from('{"hello":"Ada"}'),
): Promise<number> {
  let last = 0;
  for (let at = 0; at < outcomes.length; at += 256) {
    const entries = outcomes.slice(at, at + 256).map((meta) => ({ meta, body }));
    const pack = encodeEntryPack({ epoch: 1, partition: 0, applied: 1 }, entries);
    last = (await bus.append(subjects.outcomes(0), pack)).sequence;
  }
  return last;
}

/** Everything on RECORDS of these invocations, in order. */
export async function recordsOf(bus: Bus, ids: ReadonlySet<string> | string): Promise<FreeRecord[]> {
  const wanted = typeof ids === "string" ? new Set([ids]) : ids;
  const messages = await bus.readSubject(streams.records(0), subjects.records(0), { maxMessages: 100_000 });
  return messages
    .flatMap((message) => decodeEntryPack<unknown, FreeRecord>(message.data).entries.map(({ meta }) => meta))
    .filter((record) => "id" in record && record.id !== undefined && wanted.has(record.id));
}

export const endOf = (records: readonly FreeRecord[]) => records.filter((record) => record.type === "callback-end");
