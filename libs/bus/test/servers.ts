import { setTimeout } from "node:timers/promises";
import { type Bus, connectBus } from "@fnbus/bus";
import { findBinaries, type NatsServer, startNats } from "@fnbus/testing";

/** The newest server that is found, and the oldest that is supported where it is found too. */
export const serverBinaries = findBinaries("nats-server").slice(0, 2);

export const SIZE = 64 * 1024 * 1024;
export const stream = (name: string, subject: string, maxBytes = SIZE, replicas = 1) => ({
  name,
  subjects: [subject],
  maxBytes,
  discard: "new" as const,
  replicas,
});
export const bucket = (name: string, replicas = 1) => ({ name, history: 1, maxBytes: 8 * 1024 * 1024, replicas });
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array | undefined): string | undefined => data && Buffer.from(data).toString("utf8");

export const sleep = (ms: number): Promise<void> => setTimeout(ms);

export interface Bench {
  nats: NatsServer;
  bus: Bus;
  stop(): Promise<void>;
}

/** A server and a bus on it, with one stream LOG on `log` and one bucket KEYS. */
export async function startBench(binary: string): Promise<Bench> {
  const nats = await startNats({ binary });
  const bus = await connectBus({ servers: nats.url, name: "suite", connectTimeoutMs: 5_000 });
  await bus.provision({
    streams: [stream("LOG", "log")],
    keyValues: [bucket("KEYS")],
    objects: [{ name: "FILES", maxBytes: SIZE, replicas: 1 }],
  });
  return {
    nats,
    bus,
    async stop() {
      await bus.drain();
      await nats.stop();
    },
  };
}
