import { ServiceConfig } from "@fnbus/service";
import { BrokerSettings } from "@fnbus/sources";
import Type, { type Static } from "typebox";

/** Every variable of event-ingest. */
export const IngestConfig = Type.Object({
  ...ServiceConfig,
  FNBUS_INGEST_HOST: Type.String({ default: "127.0.0.1", description: "address that events are sent to over HTTP" }),
  FNBUS_INGEST_PORT: Type.Integer({
    default: 8081,
    minimum: 0,
    maximum: 65_535,
    description: "port that events are sent to over HTTP",
  }),
  FNBUS_PARTITIONS: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: "partitions of the platform" }),
  FNBUS_ACCEPT_TIMEOUT_MS: Type.Integer({
    default: 5_000,
    minimum: 100,
    maximum: 60_000,
    description: "how long an event may wait until the log acknowledges it, and the ledger judges its position",
  }),
  ...BrokerSettings,
  FNBUS_KEY_RATE: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    description: "requests a second of a key that has no rate of its own; 0: not limited",
  }),
  FNBUS_MAX_IN_FLIGHT: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "requests in progress at once; over it 503",
  }),
  FNBUS_MAX_BODY_MB: Type.Integer({
    default: 256,
    minimum: 16,
    maximum: 65_536,
    description: "request bodies in memory at once, in MB; over it 503",
  }),
  FNBUS_MAX_LAG_MS: Type.Integer({
    default: 500,
    minimum: 10,
    maximum: 10_000,
    description: "mean delay of the event loop over 2 s from which events are refused with 503",
  }),
});
export type IngestConfig = Readonly<Static<typeof IngestConfig>>;
