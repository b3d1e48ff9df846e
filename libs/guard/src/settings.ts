import Type from "typebox";
import { createAddressGuard } from "./address-guard.ts";
import type { AddressGuard } from "./types.ts";

/** Variables of a service that takes callback URLs, or calls them. */
export const CallbackGuardSettings = {
  FNBUS_CALLBACK_ALLOW: Type.String({
    default: "",
    description: "networks, addresses and host names that callbacks may reach although not public, comma-separated",
  }),
  FNBUS_CALLBACK_ALLOW_LOOPBACK: Type.Boolean({
    default: false,
    description: "callbacks may reach 127.0.0.0/8 and ::1: for a platform on one machine",
  }),
};

/** The guard that these variables ask for. Throws where the list cannot be read. */
export const createCallbackGuard = (config: {
  readonly FNBUS_CALLBACK_ALLOW: string;
  readonly FNBUS_CALLBACK_ALLOW_LOOPBACK: boolean;
}): AddressGuard =>
  createAddressGuard({
    allow: config.FNBUS_CALLBACK_ALLOW.split(","),
    allowLoopback: config.FNBUS_CALLBACK_ALLOW_LOOPBACK,
  });
