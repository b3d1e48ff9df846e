import * as servers from "./servers.ts";
import type { ServiceName } from "./stack.ts";

/** Where the servers of a stack are, as its services reach them. */
export interface Surroundings {
  natsUrl: string;
  redisUrl: string;
  /** Address that callbacks may reach although it is not public. */
  callbacksTo: string;
}

/** Environment of a service in a stack, whatever kind of stack it is. */
export function settingsOf(name: ServiceName | "provision", where: Surroundings): Record<string, string> {
  const all = {
    NATS_URL: where.natsUrl,
    NATS_USER: servers.NATS_USER,
    NATS_PASSWORD: servers.NATS_PASSWORD,
  };
  const callbacks = {
    FNBUS_SIGNING_SECRET: servers.SIGNING_SECRET,
    FNBUS_CALLBACK_ALLOW: where.callbacksTo,
    FNBUS_CALLBACK_ALLOW_LOOPBACK: "true",
  };
  const brokers = { FNBUS_BROKER_ALLOW: where.callbacksTo, FNBUS_BROKER_ALLOW_LOOPBACK: "true" };
  if (name === "provision") return { ...all, FNBUS_ADMIN_KEY: servers.ADMIN_KEY };
  if (name === "gateway") return { ...all, ...callbacks, ...brokers };
  if (name === "callback-dispatcher") return { ...all, ...callbacks, REDIS_URL: where.redisUrl };
  if (name === "mqtt-bridge" || name === "event-ingest") return { ...all, ...brokers };
  return all;
}
