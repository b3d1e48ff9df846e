import type { BusOptions } from "@fnbus/bus";
import { limits } from "@fnbus/contract";
import { ServiceConfig } from "@fnbus/service";
import Type, { type Static } from "typebox";

export const LedgerConfig = Type.Object({
  ...ServiceConfig,
  FNBUS_PARTITIONS: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 64,
    description: "partitions of the platform; this process owns or follows each of them",
  }),
  FNBUS_DATA_DIR: Type.String({
    default: "",
    description: "folder of the look-up's store, which is rebuilt when lost; empty: a temporary one",
  }),
  FNBUS_KEEP_HOURS: Type.Number({
    default: 168,
    minimum: 1,
    maximum: 87_600,
    description: "how long the look-up shows what has ended",
  }),
  FNBUS_LEDGER_LEASE_MS: Type.Integer({
    default: 5000,
    minimum: 500,
    maximum: 60_000,
    description: "silence after which another ledger takes a partition over",
  }),
  FNBUS_EXECUTOR_LEASE_MS: Type.Integer({
    default: 5000,
    minimum: 500,
    maximum: 60_000,
    description: "silence after which an executor is gone and its runs are started again elsewhere",
  }),
  FNBUS_KEY_WINDOW_HOURS: Type.Number({
    default: 24,
    minimum: 0.01,
    maximum: 720,
    description: "how long an idempotency key is kept after the outcome",
  }),
  FNBUS_MARKS: Type.Integer({
    default: 1_000_000,
    minimum: 100,
    maximum: 8_000_000,
    description:
      "counting sources of a partition (a Kafka partition, a schedule) whose place is kept; a new one over it is refused",
  }),
  FNBUS_MARK_DAYS: Type.Number({
    // Over the longest catch-up window of a trigger, 31 days: a tick whose mark is gone would fire again (I7).
    default: 35,
    minimum: 32,
    maximum: 3650,
    description: "how long the place of a counting source that does not move is kept",
  }),
  FNBUS_BACKLOG: Type.Integer({
    default: 1_000_000,
    minimum: 100,
    maximum: 8_000_000,
    description: "unfinished invocations of a partition; from 80 % on new ones are refused",
  }),
  FNBUS_FUNCTION_BACKLOG: Type.Integer({
    default: 250_000,
    minimum: 10,
    maximum: 8_000_000,
    description: "unfinished invocations of one function; over it new ones are refused with 429",
  }),
  FNBUS_DEAD_LETTER_HOURS: Type.Number({
    default: 168,
    minimum: 1,
    maximum: 87_600,
    description: "how long the envelope of a dead letter is kept for a redrive",
  }),
});
export type LedgerConfig = Readonly<Static<typeof LedgerConfig>>;

/** The connections that the ledger makes beside its service's own. */
export const toBusOptions = (config: LedgerConfig, name: string): BusOptions => ({
  servers: config.NATS_URL,
  name,
  ...(config.NATS_USER ? { user: config.NATS_USER, password: config.NATS_PASSWORD } : {}),
});

/** Body cache of one process in all partitions together (L28). */
export const BODY_CACHE_BYTES = 64 * 1024 * 1024;

/** Bytes of a pack that the broker takes for sure, whatever its `max_payload` is set to. */
export const packBytesFor = (maxPayload: number): number =>
  Math.min(limits.packBytes, maxPayload - limits.inlineBodyBytes);
