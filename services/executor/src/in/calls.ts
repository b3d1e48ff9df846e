import type { Bus, BusMessage } from "@fnbus/bus";
import {
  type CallReply,
  type EnvelopeMeta,
  EXECUTOR_QUEUE,
  FnbusError,
  META_HEADER,
  REPLY_HEADER,
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
const EMPTY = new Uint8Array(0);

/** Synchronous calls (ARCHITECTURE.md 4): one message in, one out, nothing stored on the way. */
export function serveCalls(options: CallOptions) {
  const { bus, shares } = options;
  /** Synchronous calls running or waiting here, by registry id: what the share bounds. */
  const running = new Map<string, number>();

  function reply(message: BusMessage, answer: CallReply, body: Uint8Array = EMPTY): void {
    message.respond(body, { [REPLY_HEADER]: toHeaderText(answer) });
  }
  function refuse(message: BusMessage, thrown: unknown): void {
    const { code, message: text, details, retryAfterSeconds } = toFnbusError(thrown);
    options.onEnd("not-run");
    reply(message, {
      ok: false,
      code,
      message: text,
      ...(details ? { details } : {}),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }

  function receive(message: BusMessage): void {
    try {
      const metaJson = message.header(META_HEADER);
      if (metaJson === undefined) throw new FnbusError("envelope_invalid", "a call without its metadata");
      const meta = JSON.parse(metaJson) as EnvelopeMeta;
      const found = options.find(meta);
      if (found instanceof Promise || meta.bodyReference) void receiveLater(message, meta, metaJson, found);
      else start(message, meta, metaJson, found, message.data);
    } catch (thrown) {
      refuse(message, thrown);
    }
  }

  async function receiveLater(
    message: BusMessage,
    meta: EnvelopeMeta,
    metaJson: string,
    found: RegisteredFunction | Promise<RegisteredFunction>,
  ): Promise<void> {
    try {
      const body = meta.bodyReference ? await options.readBody(meta) : message.data;
      start(message, meta, metaJson, await found, body);
    } catch (thrown) {
      refuse(message, thrown);
    }
  }

  function start(
    message: BusMessage,
    meta: EnvelopeMeta,
    metaJson: string,
    found: RegisteredFunction,
    body: Uint8Array,
  ): void {
    const { id, settings } = found.definition;
    const now = performance.now();
    const open = running.get(id) ?? 0;
    if (open >= shares.of(settings.concurrency.limit, now)) {
      throw new FnbusError("concurrency_limited", undefined, { retryAfterSeconds: RETRY_SECONDS });
    }
    running.set(id, open + 1);
    const request = { meta, metaJson, body, endsAt: now + meta.deadlineMs, whenOver: "deadline_exceeded" } as const;
    options.runs.start(found, request, (end) => {
      const left = running.get(id)! - 1;
      if (left > 0) running.set(id, left);
      else running.delete(id);
      answer(message, meta, end);
    });
  }

  function answer(message: BusMessage, meta: EnvelopeMeta, end: RunEnd): void {
    if (end.kind === "not-run") {
      refuse(message, new FnbusError(end.code, end.message, end));
      return;
    }
    options.onEnd("ran");
    if (end.body.length + HEADER_ROOM <= bus.maxPayload) {
      reply(message, { ok: true, result: end.result }, end.body);
      return;
    }
    options.storeBody(meta, end.body).then(
      (bodyReference) => reply(message, { ok: true, result: { ...end.result, bodyReference } }),
      (error: unknown) => refuse(message, error),
    );
  }

  const all = bus.subscribe(subjects.calls(options.pool), receive, { queue: EXECUTOR_QUEUE });
  const own = bus.subscribe(subjects.callAt(options.executor), receive);
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

/** Header values are one line of the wire's own text: what JSON leaves unescaped beyond ASCII is escaped. */
const toHeaderText = (answer: CallReply): string =>
  JSON.stringify(answer).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
