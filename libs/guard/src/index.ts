export { type AddressGuardOptions, createAddressGuard } from "./address-guard.ts";
export { CallbackGuardSettings, createCallbackGuard } from "./settings.ts";
export type { AddressGuard } from "./types.ts";
