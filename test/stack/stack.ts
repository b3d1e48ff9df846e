import type { Api } from "./api.ts";
import type { CallbackTarget } from "./callback-target.ts";

/** A platform to make journeys on: real services, NATS and Redis, as processes of this machine or as containers. */
export interface Stack {
  kind: "processes" | "containers";
  api: Api;
  target: CallbackTarget;
  broker: Member;
  redis: Member & { flush(): Promise<void> };
  /** Replicas of a service, in the order of their start. */
  members(service: ServiceName): Member[];
  /** Where event-ingest takes events over HTTP: one URL a replica. */
  eventUrls: readonly string[];
  /** Under this name services reach the machine that runs the journeys. */
  host: string;
  /** Stops everything and removes its data. */
  stop(): Promise<void>;
}

/** The services of every stack, and those that run triggers, of which a stack has as many as it asks for. */
export const coreNames = ["gateway", "ledger", "executor", "callback-dispatcher"] as const;
export const sourceNames = ["scheduler", "mqtt-bridge", "event-ingest"] as const;
export type ServiceName = (typeof coreNames)[number] | (typeof sourceNames)[number];
export const serviceNames: readonly ServiceName[] = [...coreNames, ...sourceNames];

export const replicasOf = (name: ServiceName, options: StackOptions): number =>
  options.replicas?.[name] ?? ((coreNames as readonly string[]).includes(name) ? 1 : 0);

/** One process of the stack. Its port and its data outlive it. */
export interface Member {
  name: string;
  /** Base URL of /health, /ready and /metrics; "" for servers that are not ours. */
  opsUrl: string;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves with its exit code when it is gone. */
  stopGracefully(): Promise<number>;
  /** SIGSTOP and SIGCONT: it lives, and is silent. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Starts it again after `kill` or `stopGracefully`. Resolves when it runs, which is before it is ready. */
  restart(): Promise<void>;
  /** What it wrote since its first start. */
  log(): Promise<string>;
}

export interface StackOptions {
  replicas?: Partial<Record<ServiceName, number>>;
  /** Settings beyond the stack's own. */
  settings?: Partial<Record<ServiceName, Record<string, string>>>;
  /** fsync before every acknowledgement; yes unless told. Only benchmarks do without, to show what it costs. */
  durable?: boolean;
  /** Size of the log of invocations. */
  invocationsBytes?: number;
}

/**
 * What every service of a journey is told: short schedules, so that a journey takes seconds, and no shedding for a slow
 * event loop, because a whole platform and its load on the two cores of a busy machine are slow.
 */
export const journeySettings: Record<ServiceName, Record<string, string>> = {
  gateway: { FNBUS_MAX_LAG_MS: "5000" },
  ledger: {},
  executor: {},
  scheduler: {},
  "mqtt-bridge": {},
  "event-ingest": {},
  "callback-dispatcher": { FNBUS_CALLBACK_SCHEDULE: "300ms,600ms,1s,2s,2s,2s,2s,2s", FNBUS_CALLBACK_RECONCILE: "3s" },
};
