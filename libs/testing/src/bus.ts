import { type Bus, connectBus } from "@fnbus/bus";

const CONNECT_MS = 10_000;

/** A bus for a test. Everything that is not drained by the test keeps the process alive: drain it. */
export const connectTestBus = (server: { url: string }, name = "test"): Promise<Bus> =>
  connectBus({ servers: server.url, name, connectTimeoutMs: CONNECT_MS });
