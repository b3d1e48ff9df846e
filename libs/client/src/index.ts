export type { TriggerStatus } from "@fnbus/contract";
export type { Accepted, Call, CallAnswer } from "./calls.ts";
export { type Client, createClient } from "./client.ts";
export { ClientError } from "./client-error.ts";
export type { FunctionView, KeyView, ListInvocations, NewFunction, Page } from "./management.ts";
export type { ClientOptions } from "./transport.ts";
export type { TriggerView } from "./triggers.ts";
