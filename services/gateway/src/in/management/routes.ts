import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import type { Doors } from "../doors.ts";
import { parseJsonBodies } from "../json.ts";
import { callbackRoutes } from "./callbacks.ts";
import { codeRoutes } from "./code.ts";
import { deadLetterRoutes } from "./dead-letters.ts";
import { functionRoutes } from "./functions.ts";
import { invocationRoutes } from "./invocations.ts";
import { keyRoutes } from "./keys.ts";
import { logRoutes } from "./logs.ts";
import { platformRoutes } from "./platform.ts";
import { spaceRoutes } from "./spaces.ts";
import { triggerActionRoutes } from "./trigger-actions.ts";
import { triggerRoutes } from "./triggers.ts";

/** Our own API, below /v1. */
export async function managementRoutes(plain: FastifyInstance, doors: Doors): Promise<void> {
  parseJsonBodies(plain);
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();
  const parts = [
    platformRoutes,
    spaceRoutes,
    functionRoutes,
    codeRoutes,
    logRoutes,
    keyRoutes,
    invocationRoutes,
    deadLetterRoutes,
    callbackRoutes,
    triggerRoutes,
    triggerActionRoutes,
  ];
  for (const part of parts) part(app, doors);
}
