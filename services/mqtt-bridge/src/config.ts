import { publisherSettings } from "@fnbus/publisher";
import { ServiceConfig } from "@fnbus/service";
import { BrokerSettings } from "@fnbus/sources";
import Type, { type Static } from "typebox";

/** Every variable of mqtt-bridge. */
export const Config = Type.Object({
  ...ServiceConfig,
  ...publisherSettings("how long one try to publish a message's invocation may wait until the log acknowledges it"),
  ...BrokerSettings,
  FNBUS_MQTT_RECONNECT_MS: Type.Integer({
    default: 1_000,
    minimum: 10,
    maximum: 60_000,
    description: "about how long a lost broker is waited for first; doubled up to thirty times, and spread at random",
  }),
  FNBUS_MQTT_LEASE_MS: Type.Integer({
    default: 10_000,
    minimum: 500,
    maximum: 120_000,
    description: "a replica that is silent for so long has lost its sessions to another",
  }),
});
export type Config = Readonly<Static<typeof Config>>;
