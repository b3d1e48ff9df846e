import Type from "typebox";
import type { HttpBounds } from "./admission.ts";

const MB = 1024 * 1024;

/** Variables of a service that strangers send requests to. `maxBodyMb`: its default for bodies in memory. */
export const httpSettings = (maxBodyMb: number) => ({
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
    default: maxBodyMb,
    minimum: 16,
    maximum: 65_536,
    description: "request bodies in memory at once, in MB; over it 503",
  }),
  FNBUS_MAX_LAG_MS: Type.Integer({
    default: 500,
    minimum: 10,
    maximum: 10_000,
    description: "mean delay of the event loop over 2 s from which calls and events are refused with 503",
  }),
});

/** The bounds that these variables set. */
export const toBounds = (config: {
  readonly FNBUS_MAX_IN_FLIGHT: number;
  readonly FNBUS_MAX_BODY_MB: number;
  readonly FNBUS_MAX_LAG_MS: number;
}): HttpBounds => ({
  maxInFlight: config.FNBUS_MAX_IN_FLIGHT,
  maxBodyBytes: config.FNBUS_MAX_BODY_MB * MB,
  maxLagMs: config.FNBUS_MAX_LAG_MS,
});
