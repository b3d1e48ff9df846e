import { CallbackGuardSettings } from "@fnbus/guard";
import { httpSettings } from "@fnbus/http";
import { publisherSettings } from "@fnbus/publisher";
import { ServiceConfig } from "@fnbus/service";
import Type, { type Static } from "typebox";

/** Every variable of the gateway. */
export const GatewayConfig = Type.Object({
  ...ServiceConfig,
  FNBUS_HOST: Type.String({ default: "127.0.0.1", description: "address that the API listens on" }),
  FNBUS_PORT: Type.Integer({ default: 8080, minimum: 0, maximum: 65_535, description: "port of the API" }),
  ...publisherSettings(
    "how long an asynchronous call may wait until the log acknowledges it, and the ledger judges its key",
  ),
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
  ...CallbackGuardSettings,
  ...httpSettings(512),
  FNBUS_TOKEN_SECONDS: Type.Integer({
    default: 604_800,
    minimum: 60,
    maximum: 31_536_000,
    description: "how long an OAuth2 token is valid",
  }),
});
export type GatewayConfig = Readonly<Static<typeof GatewayConfig>>;
