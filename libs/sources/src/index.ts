export { type AuditOperation, checkCtsOperations, takesAudit } from "./audit-operations.ts";
export { checkObsEvents } from "./object-events.ts";
export { type RunningSources, runSources } from "./run-sources.ts";
export type * from "./types.ts";
