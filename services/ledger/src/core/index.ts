import type { Core, CoreOptions } from "./types.ts";

export type * from "./actions.ts";
export type * from "./events.ts";
export type * from "./types.ts";

/** The ledger of one partition, from a checkpoint or from the start of the logs. Follows until it gains the lease. */
export declare function createCore(options: CoreOptions): Core;

/** Names of the id segments that a checkpoint's own object refers to: to be fetched before `createCore`. */
export declare function checkpointSegments(state: Uint8Array): string[];
