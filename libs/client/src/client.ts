import { createCalls } from "./calls.ts";
import { createManagement } from "./management.ts";
import { type ClientOptions, createTransport } from "./transport.ts";

/** The platform over HTTP: calls of functions, and everything below /v1. */
export function createClient(options: ClientOptions) {
  const transport = createTransport(options);
  return { ...createCalls(transport), ...createManagement(transport) };
}
export type Client = ReturnType<typeof createClient>;
