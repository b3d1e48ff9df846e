export { connectBus } from "./connect-bus.ts";
export { BusError, isBusError } from "./errors.ts";
export type * from "./types.ts";
