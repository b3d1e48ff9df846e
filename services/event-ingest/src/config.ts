import { httpSettings } from "@fnbus/http";
import { publisherSettings } from "@fnbus/publisher";
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
  ...publisherSettings("how long an event may wait until the log acknowledges it, and the ledger judges its position"),
  ...BrokerSettings,
  ...httpSettings(256),
});
export type IngestConfig = Readonly<Static<typeof IngestConfig>>;
