import { ServiceConfig } from "@fnbus/service";
import Type, { type Static } from "typebox";

/** Every variable of the gateway. */
export const GatewayConfig = Type.Object({
  ...ServiceConfig,
  FNBUS_HOST: Type.String({ default: "127.0.0.1", description: "address that the API listens on" }),
  FNBUS_PORT: Type.Integer({ default: 8080, minimum: 0, maximum: 65_535, description: "port of the API" }),
  FNBUS_PARTITIONS: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: "partitions of the platform" }),
  FNBUS_SIGNING_SECRET: Type.String({
    minLength: 16,
    description: "master secret that the spaces' signing secrets are derived from",
    secret: true,
  }),
  FNBUS_SYNC_TIMEOUT_MS: Type.Integer({
    default: 60_000,
    minimum: 100,
    maximum: 900_000,
    description: "longest synchronous call",
  }),
  FNBUS_ACCEPT_TIMEOUT_MS: Type.Integer({
    default: 5_000,
    minimum: 100,
    maximum: 60_000,
    description: "how long an asynchronous call may wait until the log acknowledges it, and the ledger judges its key",
  }),
  FNBUS_CALLBACK_ALLOW: Type.String({
    default: "",
    description: "networks, addresses and host names that callbacks may reach although not public, comma-separated",
  }),
  FNBUS_CALLBACK_ALLOW_LOOPBACK: Type.Boolean({
    default: false,
    description: "callbacks may reach 127.0.0.0/8 and ::1: for a platform on one machine",
  }),
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
    default: 512,
    minimum: 16,
    maximum: 65_536,
    description: "request bodies in memory at once, in MB; over it 503",
  }),
  FNBUS_MAX_LAG_MS: Type.Integer({
    default: 500,
    minimum: 10,
    maximum: 10_000,
    description: "mean delay of the event loop over 2 s from which calls are refused with 503",
  }),
  FNBUS_TOKEN_SECONDS: Type.Integer({
    default: 604_800,
    minimum: 60,
    maximum: 31_536_000,
    description: "how long an OAuth2 token is valid",
  }),
});
export type GatewayConfig = Readonly<Static<typeof GatewayConfig>>;
