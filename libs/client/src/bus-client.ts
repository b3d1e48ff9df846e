import { type Bus, isBusError, type Packer } from "@fnbus/bus";
import {
  type CallReply,
  createId,
  ENVELOPE_VERSION,
  type EnvelopeMeta,
  encodeFrame,
  FnbusError,
  type HeaderList,
  limits,
  type RegisteredFunction,
  type RunResult,
  subjects,
} from "@fnbus/contract";
import type { RegistryIndex } from "@fnbus/registry";

/** One call from a service inside the cluster. Bodies are bytes; the function's kind of handler decides what it sees. */
export interface BusCall {
  method?: string;
  path?: string;
  query?: string;
  headers?: HeaderList;
  body?: Uint8Array;
  traceparent?: string;
  /** Functions that this call has gone through already. */
  depth?: number;
}

/** Functions straight over the bus, without HTTP between (E13): the same envelope, deadline and trace as by the gateway. */
export interface BusClient {
  /**
   * Calls a function and returns its result, failed or not (`result.error` says whose fault it was, I9). Throws
   * FnbusError: `function_not_found`, `function_not_ready`, `body_too_large`, `callback_loop`, `no_executor`,
   * `deadline_exceeded`, `broker_unavailable`, and what the executor refuses with.
   */
  invoke(
    space: string,
    name: string,
    call: BusCall & { timeoutMs: number },
  ): Promise<{ result: RunResult; body: Uint8Array }>;
  /**
   * Resolves with the invocation's id when the log has acknowledged it (I1). Throws `accept_unknown` where it may have
   * been stored, `storage_full`, `broker_unavailable` where it is not.
   */
  invokeAsync(space: string, name: string, call: BusCall & { callbackUrl?: string }): Promise<string>;
  close(): Promise<void>;
}

const ANSWER_MARGIN_MS = 1_000;
/** Room for subject and metadata below the broker's max_payload. */
const RESERVED_BYTES = 64 * 1024;
const EMPTY = new Uint8Array(0);

export function createBusClient(bus: Bus, registry: RegistryIndex): BusClient {
  const packers = new Map<number, Packer>();
  const packerOf = (partition: number): Packer => {
    const packer = packers.get(partition) ?? bus.createPacker(subjects.invocations(partition));
    packers.set(partition, packer);
    return packer;
  };

  function find(space: string, name: string, call: BusCall, limitBytes: number): RegisteredFunction {
    const found = registry.functionByName(space, name);
    if (!found) throw new FnbusError(registry.space(space) ? "function_not_found" : "space_not_found");
    if (found.definition.status !== "Running") throw new FnbusError("function_not_ready");
    if ((call.body?.length ?? 0) > limitBytes)
      throw new FnbusError("body_too_large", undefined, { details: { limitBytes } });
    if ((call.depth ?? 0) >= limits.callDepth) throw new FnbusError("callback_loop");
    return found;
  }

  return {
    async invoke(space, name, call) {
      const found = find(space, name, call, bus.maxPayload - RESERVED_BYTES);
      const meta = toMeta(found, call, call.timeoutMs);
      const subject = subjects.call(found.definition.settings.pool, space, name);
      const answer = await bus
        .call(subject, JSON.stringify(meta), call.body ?? EMPTY, { timeoutMs: call.timeoutMs + ANSWER_MARGIN_MS })
        .catch((error) => {
          throw toCallError(error);
        });
      const reply = JSON.parse(answer.head) as CallReply;
      if (!reply.ok) throw new FnbusError(reply.code, reply.message, reply.details ? { details: reply.details } : {});
      const { bodyReference } = reply.result;
      if (!bodyReference) return { result: reply.result, body: answer.body };
      const body = await (await bus.objects(bodyReference.bucket)).get(bodyReference.name);
      if (!body) throw new FnbusError("store_unavailable", "the result's body is gone");
      return { result: reply.result, body };
    },
    async invokeAsync(space, name, call) {
      const found = find(space, name, call, limits.inlineBodyBytes);
      const meta = toMeta(found, call, 0);
      if (call.callbackUrl !== undefined) meta.callbackUrl = call.callbackUrl;
      const frame = encodeFrame({ meta, body: call.body ?? EMPTY });
      await packerOf(meta.partition)
        .add(frame)
        .catch((error) => {
          throw toAcceptError(error, meta.id);
        });
      return meta.id;
    },
    async close() {
      await Promise.all([...packers.values()].map((packer) => packer.close()));
    },
  };
}

function toMeta({ definition, revision }: RegisteredFunction, call: BusCall, deadlineMs: number): EnvelopeMeta {
  const now = Date.now();
  return {
    v: ENVELOPE_VERSION,
    id: createId(now),
    space: definition.space,
    function: definition.name,
    qualifier: "latest",
    registryId: definition.id,
    revision,
    partition: definition.partition,
    kind: "http",
    source: "bus",
    method: call.method ?? "POST",
    path: call.path ?? "/",
    query: call.query ?? "",
    headers: call.headers ?? [],
    deadlineMs,
    acceptedAt: now,
    ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
    ...(call.depth === undefined ? {} : { depth: call.depth }),
  };
}

function toCallError(error: unknown): unknown {
  if (isBusError(error, "no_responders")) return new FnbusError("no_executor");
  if (isBusError(error, "timeout")) return new FnbusError("deadline_exceeded");
  return isBusError(error) ? new FnbusError("broker_unavailable", undefined, { cause: error }) : error;
}

function toAcceptError(error: unknown, id: string): unknown {
  if (!isBusError(error)) return error;
  if (error.isInDoubt) return new FnbusError("accept_unknown", undefined, { details: { id }, cause: error });
  return new FnbusError(error.code === "full" ? "storage_full" : "broker_unavailable", undefined, { cause: error });
}
