export { type RunningSources, runSources } from "./run-sources.ts";
export type * from "./types.ts";
