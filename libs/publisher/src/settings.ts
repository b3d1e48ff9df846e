import Type from "typebox";

/** Variables of a service that publishes invocations. `wait`: what the time-out bounds there. */
export const publisherSettings = (wait: string) => ({
  FNBUS_PARTITIONS: Type.Integer({ default: 1, minimum: 1, maximum: 64, description: "partitions of the platform" }),
  FNBUS_ACCEPT_TIMEOUT_MS: Type.Integer({ default: 5_000, minimum: 100, maximum: 60_000, description: wait }),
});
