import {
  createId,
  deriveId,
  ENVELOPE_VERSION,
  type Envelope,
  type EnvelopeMeta,
  type FrameOptions,
  type HeaderList,
  type InvocationKind,
  type Overlap,
  type Position,
  type RegisteredFunction,
  type Trigger,
  toSourceHash,
} from "@fnbus/contract";

/** What a source asks for: one function, once, for one event or one batch of them. */
export interface EventCall {
  to: RegisteredFunction;
  trigger: Trigger;
  /** `event`: the body is the event (JSON). `http`: a request handler sees method, path and headers. */
  kind: InvocationKind;
  headers: HeaderList;
  body: Uint8Array;
  /** "/" and "" where nothing is said; the method is POST. */
  path?: string;
  query?: string;
  /** The source's own name of the event: its id is derived from it, so the same event is the same invocation (L9). */
  name?: string;
  /** What counts (Kafka topic id and partition, the schedule), first and last position: the ledger keeps each once (L10). */
  position?: { counts: string; first: number; last: number };
  /** Of a tick. */
  overlap?: Overlap;
  traceparent?: string;
}

/** The hash that names what a call's position counts: what marks are asked for by. */
export const toSource = (trigger: Trigger, to: RegisteredFunction, counts: string): string =>
  toSourceHash(trigger.incarnation, to.definition.id, counts).toString("hex");

/** The envelope of a call, and what its frame says beside it. */
export function toEnvelope(call: EventCall, nowMs: number): { envelope: Envelope; frame: FrameOptions } {
  const { to, trigger, name } = call;
  const { definition, revision } = to;
  const position: Position | undefined = call.position && {
    source: toSource(trigger, to, call.position.counts),
    first: call.position.first,
    last: call.position.last,
  };
  const id = name === undefined ? createId(nowMs) : deriveId("event", trigger.incarnation, definition.id, name);
  const meta: EnvelopeMeta = {
    v: ENVELOPE_VERSION,
    id,
    space: definition.space,
    function: definition.name,
    qualifier: trigger.function?.qualifier ?? "latest",
    registryId: definition.id,
    revision,
    partition: definition.partition,
    kind: call.kind,
    source: trigger.type,
    trigger: trigger.name,
    method: "POST",
    path: call.path ?? "/",
    query: call.query ?? "",
    headers: call.headers,
    deadlineMs: 0,
    acceptedAt: nowMs,
    ...(position && { position }),
    ...(trigger.callbackUrl !== undefined && { callbackUrl: trigger.callbackUrl }),
    ...(call.traceparent !== undefined && { traceparent: call.traceparent }),
  };
  const frame: FrameOptions = {
    ...(name !== undefined && { named: true }),
    ...(call.overlap !== undefined && { overlap: call.overlap }),
  };
  return { envelope: { meta, body: call.body }, frame };
}
