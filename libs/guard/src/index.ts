export { type AddressGuardOptions, createAddressGuard } from "./address-guard.ts";
export type { AddressGuard } from "./types.ts";
