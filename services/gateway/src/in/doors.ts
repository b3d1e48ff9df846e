import type { AccessKey, Scope } from "@fnbus/contract";
import type { AddressGuard } from "@fnbus/guard";
import type { HttpBounds, Rates } from "@fnbus/http";
import type { Backlog, Bodies, Invocations, Ledger, Records } from "@fnbus/publisher";
import type { Access, Registry, Triggers } from "@fnbus/registry";
import type { Logger, Tracing } from "@fnbus/telemetry";
import type { Counts } from "../core/counts.ts";
import type { Executors } from "../core/executors.ts";
import type { Callbacks } from "../out/callbacks.ts";
import type { Calls } from "../out/calls.ts";
import type { Deployments } from "../out/deployments.ts";
import type { FunctionLogs } from "../out/function-logs.ts";
import type { Sources } from "../out/sources.ts";
import type { TriggerDefinitions } from "../out/trigger-definitions.ts";

/** What the routes work with. */
export interface Doors {
  registry: Registry;
  access: Access;
  calls: Calls;
  invocations: Invocations;
  ledger: Ledger;
  callbacks: Callbacks;
  deployments: Deployments;
  functionLogs: FunctionLogs;
  triggers: Triggers;
  triggerDefinitions: TriggerDefinitions;
  sources: Sources;
  bodies: Bodies;
  records: Records;
  guard: AddressGuard;
  backlog: Backlog;
  executors: Executors;
  rates: Rates;
  bounds: HttpBounds;
  counts: Counts;
  tracing: Tracing;
  logger: Logger;
  settings: DoorSettings;
}

/** What the routes take from the configuration. */
export interface DoorSettings {
  partitions: number;
  signingSecret: string;
  syncTimeoutMs: number;
  tokenSeconds: number;
}

/** In whose words a route answers. */
export type Dialect = "smartworks" | "management" | "oauth";

declare module "fastify" {
  interface FastifyContextConfig {
    dialect?: Dialect;
    /** What the key must hold; absent: the route is open to all. */
    scope?: Scope;
    /** The route concerns the whole platform: only for keys of all spaces. */
    platform?: boolean;
    /** Any valid key. */
    anyKey?: boolean;
    /** Bytes of the request's body; absent: the usual. */
    bodyLimit?: number;
    /** Its handler takes the request as it came: it admits it and reads its body. */
    takesRaw?: boolean;
    /** The route's description for the OpenAPI document where nothing is to be validated on the hot path. */
    doc?: Record<string, unknown>;
  }
  interface FastifyRequest {
    caller: AccessKey | null;
  }
}
