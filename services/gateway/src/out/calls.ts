import { type Bus, type CallAnswer as BusAnswer, isBusError } from "@fnbus/bus";
import {
  type BodyReference,
  type CallReply,
  type EnvelopeMeta,
  FnbusError,
  type RunResult,
  subjects,
} from "@fnbus/contract";
import type { Bodies } from "@fnbus/publisher";
import type { Executors } from "../core/executors.ts";

/** A run's result and its raw body. A failed run is a result too: its `error` says whose fault it was (I9). */
export interface CallAnswer {
  result: RunResult;
  body: Uint8Array;
}

/** Synchronous calls over core NATS: nothing durable on the way. */
export interface Calls {
  /**
   * Throws `no_executor`, `concurrency_limited`, `deadline_exceeded`, `broker_unavailable`, `store_unavailable`, and what the
   * executor refused with.
   */
  call(pool: string, meta: EnvelopeMeta, body: Uint8Array): Promise<CallAnswer>;
}

/** The executor ends a run at its deadline; its answer may come so much later, ms. */
const ANSWER_MARGIN_MS = 1_000;
/** Room for subject and metadata below the broker's max_payload. */
const RESERVED_BYTES = 64 * 1024;
const EMPTY = new Uint8Array(0);

/** What an executor answered, and the bytes beside it. */
interface Replied {
  reply: CallReply;
  body: Uint8Array;
}

export function createCalls(bus: Bus, executors: Executors, bodies: Bodies): Calls {
  /** Throws `no_executor`, `deadline_exceeded`, `broker_unavailable`, `envelope_invalid`. */
  const ask = (subject: string, meta: EnvelopeMeta, body: Uint8Array, leftMs: number, spread: number) =>
    bus
      .call(subject, JSON.stringify(meta), body, { timeoutMs: leftMs + ANSWER_MARGIN_MS, spread })
      .then(toReplied, raiseCallError);

  function askTwice(pool: string, meta: EnvelopeMeta, body: Uint8Array): Promise<CallAnswer> {
    const start = performance.now();
    const subject = subjects.call(pool, meta.space, meta.function);
    return ask(subject, meta, body, meta.deadlineMs, executors.of(pool)).then(({ reply, body: answer }) =>
      reply.ok
        ? toAnswer(reply.result, answer)
        : askAnother(pool, meta, body, toError(reply), meta.deadlineMs - (performance.now() - start)),
    );
  }

  /** One executor at its share hands the call on once: another may have room. */
  async function askAnother(
    pool: string,
    meta: EnvelopeMeta,
    body: Uint8Array,
    refusal: FnbusError,
    leftMs: number,
  ): Promise<CallAnswer> {
    const not = typeof refusal.details?.executor === "string" ? refusal.details.executor : undefined;
    const other = executors.other(pool, not, Date.now(), Math.random());
    if (refusal.code !== "concurrency_limited" || other === undefined || leftMs <= 0) throw refusal;
    const second = await ask(subjects.callAt(other), { ...meta, deadlineMs: leftMs }, body, leftMs, 1).catch(
      (error) => {
        throw error instanceof FnbusError && error.code === "no_executor" ? refusal : error;
      },
    );
    if (!second.reply.ok) throw toError(second.reply);
    return toAnswer(second.reply.result, second.body);
  }

  const toAnswer = (result: RunResult, body: Uint8Array): CallAnswer | Promise<CallAnswer> =>
    result.bodyReference ? fetchAnswer(result, result.bodyReference) : { result, body };

  async function fetchAnswer(result: RunResult, reference: BodyReference): Promise<CallAnswer> {
    const body = await bodies.get(reference);
    bodies.drop(reference);
    return { result, body };
  }

  async function askWithStored(pool: string, meta: EnvelopeMeta, body: Uint8Array): Promise<CallAnswer> {
    const bodyReference = await bodies.put(meta.partition, meta.id, body);
    try {
      return await askTwice(pool, { ...meta, bodyReference }, EMPTY);
    } finally {
      bodies.drop(bodyReference);
    }
  }

  return {
    call: (pool, meta, body) =>
      body.length <= bus.maxPayload - RESERVED_BYTES ? askTwice(pool, meta, body) : askWithStored(pool, meta, body),
  };
}

function toReplied({ head, body }: BusAnswer): Replied {
  try {
    return { reply: JSON.parse(head) as CallReply, body };
  } catch (error) {
    throw new FnbusError("envelope_invalid", "the executor's reply cannot be read", { cause: error });
  }
}

function raiseCallError(error: unknown): never {
  if (isBusError(error, "no_responders")) throw new FnbusError("no_executor");
  if (isBusError(error, "timeout")) throw new FnbusError("deadline_exceeded");
  if (isBusError(error)) throw new FnbusError("broker_unavailable", undefined, { cause: error });
  throw error;
}

const toError = ({ code, message, retryAfterSeconds, details }: Extract<CallReply, { ok: false }>): FnbusError =>
  new FnbusError(code, message, {
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(details ? { details } : {}),
  });
