export { createAccess } from "./access.ts";
export { createRegistry } from "./registry.ts";
export type * from "./types.ts";
