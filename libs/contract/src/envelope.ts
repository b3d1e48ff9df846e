/** The invocation envelope: whatever asks for a function becomes this (ARCHITECTURE.md section 3). */

export const ENVELOPE_VERSION = 1;

/** Header lines in order, names in lower case. A name may stand more than once. */
export type HeaderList = [name: string, value: string][];

/** `http`: a request handler sees method, path, query, headers. `event`: the body is the event. */
export type InvocationKind = "http" | "event";

/** Where an invocation came from. */
export type Source =
  | "http"
  | "cron"
  | "timer"
  | "mqtt"
  | "kafka"
  | "rabbitmq"
  | "obs"
  | "lts"
  | "cts"
  | "cloudevents"
  | "bus"
  | "redrive";

/** What a counting source counts (LEDGER.md L10). */
export interface Position {
  /** 32 hex digits: `toSourceHash` of incarnation, function and what counts. */
  source: string;
  first: number;
  last: number;
}

/** A body that was put in the object store before the envelope was published (claim check). */
export interface BodyReference {
  bucket: string;
  name: string;
  bytes: number;
}

/** The metadata block. Unknown fields are kept by readers and never an error; `v` says how to read the rest. */
export interface EnvelopeMeta {
  v: typeof ENVELOPE_VERSION;
  id: string;
  space: string;
  function: string;
  /** Version or alias that was asked for; "latest" where none was. */
  qualifier: string;
  /** The function's registry id, revision and partition as the publisher resolved them (L3). */
  registryId: string;
  revision: number;
  partition: number;
  kind: InvocationKind;
  source: Source;
  trigger?: string;
  position?: Position;
  method: string;
  /** What follows invoke: "/stock/today", or "/". */
  path: string;
  /** Raw query string without "?". */
  query: string;
  headers: HeaderList;
  /** Synchronous calls: milliseconds left when it was sent. Durable ones carry it in the fixed part. */
  deadlineMs: number;
  callbackUrl?: string;
  /** The client's own X-Call-Id: echoed, never trusted as identity. */
  callId?: string;
  idempotencyKey?: string;
  orderingKey?: string;
  traceparent?: string;
  /** Hops so far through functions that call functions. */
  depth?: number;
  redriveOf?: string;
  bodyReference?: BodyReference;
  /** When the gateway or bridge accepted it, ms since 1970, by the publisher's clock. */
  acceptedAt: number;
}

/** Metadata and the raw body bytes: never base64, never wrapped in JSON. */
export interface Envelope {
  meta: EnvelopeMeta;
  body: Uint8Array;
}
