export type { AddressGuard } from "./types.ts";
