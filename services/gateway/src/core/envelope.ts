import { createHash } from "node:crypto";
import {
  deriveId,
  ENVELOPE_VERSION,
  type EnvelopeMeta,
  type HeaderList,
  type RegisteredFunction,
} from "@fnbus/contract";
import type { CallHeaders } from "./call-headers.ts";
import type { CallTarget } from "./target.ts";

/** Everything that an HTTP call says, from which its envelope is made. */
export interface HttpCall {
  method: string;
  target: CallTarget;
  headers: HeaderList;
  call: CallHeaders;
}

/** The envelope's metadata block. `nowMs`: when it was accepted; `deadlineMs`: milliseconds left (0 on the durable way). */
export function toMeta(
  id: string,
  { definition, revision }: RegisteredFunction,
  http: HttpCall,
  nowMs: number,
  deadlineMs: number,
): EnvelopeMeta {
  const { call } = http;
  return {
    v: ENVELOPE_VERSION,
    id,
    space: definition.space,
    function: definition.name,
    qualifier: "latest",
    registryId: definition.id,
    revision,
    partition: definition.partition,
    kind: "http",
    source: "http",
    method: http.method,
    path: http.target.path,
    query: http.target.query,
    headers: http.headers,
    deadlineMs,
    acceptedAt: nowMs,
    ...(call.callbackUrl === undefined ? undefined : { callbackUrl: call.callbackUrl }),
    ...(call.callId === undefined ? undefined : { callId: call.callId }),
    ...(call.idempotencyKey === undefined ? undefined : { idempotencyKey: call.idempotencyKey }),
    ...(call.traceparent === undefined ? undefined : { traceparent: call.traceparent }),
    ...(call.depth === 0 ? undefined : { depth: call.depth }),
  };
}

/** The id that a key stands for (LEDGER.md L9): the same key is the same invocation by construction (I2). */
export const toKeyedId = (registered: RegisteredFunction, key: string): string =>
  deriveId("key", registered.definition.space, registered.definition.id, key);

/** What "the same request" means for a key: path, query and body. Method and headers may differ between clients' retries. */
export function toBodyHash({ path, query }: CallTarget, body: Uint8Array): Buffer {
  const hash = createHash("sha256");
  hash.update(`${path.length} ${query.length} ${path}${query}`).update(body);
  return hash.digest().subarray(0, 16);
}
