import type { AccessKey, Scope } from "@fnbus/contract";
import type { HttpBounds, Rates } from "@fnbus/http";
import type { Publisher } from "@fnbus/publisher";
import type { AccessIndex, RegistryIndex, TriggerIndex } from "@fnbus/registry";
import type { Logger, Tracing } from "@fnbus/telemetry";
import type { Answers } from "./answers.ts";
import type { Listening } from "./listening.ts";

/** What the routes work with. */
export interface Doors {
  triggers: TriggerIndex;
  registry: RegistryIndex;
  access: AccessIndex;
  publisher: Publisher;
  listening: Listening;
  rates: Rates;
  bounds: HttpBounds;
  answers: Answers;
  tracing: Tracing;
  logger: Logger;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the key must hold for the space of the path; absent: the route is open to all. */
    scope?: Scope;
  }
  interface FastifyRequest {
    caller: AccessKey | null;
  }
}
