import type { Bus, BusCall } from "@fnbus/bus";
import {
  type CallReply,
  type EnvelopeMeta,
  EXECUTOR_QUEUE,
  FnbusError,
  type RegisteredFunction,
  subjects,
  toFnbusError,
} from "@fnbus/contract";
import type { RunEnd, Runs } from "../core/runs.ts";
import type { Shares } from "../core/shares.ts";

export interface CallOptions {
  bus: Bus;
  executor: string;
  pool: string;
  runs: Runs;
  shares: Shares;
  /** The function of an envelope; throws `function_deleted`. A promise only where the index has to catch up. */
  find(meta: EnvelopeMeta): RegisteredFunction | Promise<RegisteredFunction>;
  /** The request's body where the envelope only refers to it. */
  readBody(meta: EnvelopeMeta): Promise<Uint8Array>;
  /** Stores an answer that no message can carry. */
  storeBody(meta: EnvelopeMeta, body: Uint8Array): Promise<NonNullable<EnvelopeMeta["bodyReference"]>>;
  onEnd(outcome: "ran" | "not-run"): void;
}

/** Room in a message for what is not the body: the reply header. */
const HEADER_ROOM = 128 * 1024;
const RETRY_SECONDS = 1;

/** Synchronous calls (ARCHITECTURE.md 4): nothing is stored on the way. */
export function serveCalls(options: CallOptions) {
  const { bus, shares } = options;
  /** Synchronous calls running or waiting here, by registry id: what the share bounds. */
  const running = new Map<string, number>();

  const reply = (call: BusCall, answer: CallReply, body?: Uint8Array): void =>
    call.answer(JSON.stringify(answer), body);
  function refuse(call: BusCall, thrown: unknown): void {
    const { code, message: text, details, retryAfterSeconds } = toFnbusError(thrown);
    options.onEnd("not-run");
    reply(call, {
      ok: false,
      code,
      message: text,
      ...(details ? { details } : {}),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }

  function receive(call: BusCall): void {
    try {
      const meta = toMeta(call.head);
      const found = options.find(meta);
      if (found instanceof Promise || meta.bodyReference) void receiveLater(call, meta, found);
      else start(call, meta, found, call.body);
    } catch (thrown) {
      refuse(call, thrown);
    }
  }

  async function receiveLater(
    call: BusCall,
    meta: EnvelopeMeta,
    found: RegisteredFunction | Promise<RegisteredFunction>,
  ): Promise<void> {
    try {
      const body = meta.bodyReference ? await options.readBody(meta) : call.body;
      start(call, meta, await found, body);
    } catch (thrown) {
      refuse(call, thrown);
    }
  }

  function start(call: BusCall, meta: EnvelopeMeta, found: RegisteredFunction, body: Uint8Array): void {
    const { id, settings } = found.definition;
    const now = performance.now();
    const open = running.get(id) ?? 0;
    if (open >= shares.of(settings.concurrency.limit, now)) {
      throw new FnbusError("concurrency_limited", undefined, { retryAfterSeconds: RETRY_SECONDS });
    }
    running.set(id, open + 1);
    const request = {
      meta,
      metaJson: call.head,
      body,
      endsAt: now + meta.deadlineMs,
      whenOver: "deadline_exceeded",
    } as const;
    options.runs.start(found, request, (end) => {
      const left = running.get(id)! - 1;
      if (left > 0) running.set(id, left);
      else running.delete(id);
      answer(call, meta, end);
    });
  }

  function answer(call: BusCall, meta: EnvelopeMeta, end: RunEnd): void {
    if (end.kind === "not-run") {
      refuse(call, new FnbusError(end.code, end.message, end));
      return;
    }
    options.onEnd("ran");
    if (end.body.length + HEADER_ROOM <= bus.maxPayload) {
      reply(call, { ok: true, result: end.result }, end.body);
      return;
    }
    options.storeBody(meta, end.body).then(
      (bodyReference) => reply(call, { ok: true, result: { ...end.result, bodyReference } }),
      (error: unknown) => refuse(call, error),
    );
  }

  const all = bus.answerCalls(subjects.calls(options.pool), receive, { queue: EXECUTOR_QUEUE });
  const own = bus.answerCalls(subjects.callAt(options.executor), receive);
  return {
    /** For the announcement: what shares are cut from. */
    running: (): Record<string, number> => Object.fromEntries(running),
    isBusy: (): boolean => running.size > 0,
    /** Takes no more; what arrived is answered. */
    async stop(): Promise<void> {
      await Promise.all([all.drain(), own.drain()]);
    },
  };
}

/** Throws `envelope_invalid`. */
function toMeta(head: string): EnvelopeMeta {
  try {
    return JSON.parse(head) as EnvelopeMeta;
  } catch (error) {
    throw new FnbusError("envelope_invalid", "a call's metadata cannot be read", { cause: error });
  }
}
