export { createAccess } from "./access.ts";
export { createRegistry } from "./registry.ts";
export { createTriggers } from "./triggers.ts";
export type * from "./types.ts";
