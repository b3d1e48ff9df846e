export { createOpsServer } from "./ops-server.ts";
export { type RunningService, runService, type ServiceContext } from "./run-service.ts";
export { ServiceConfig } from "./service-config.ts";
