import { randomUUID } from "node:crypto";
import type { ErrorCode, ErrorSide, HeaderList } from "@fnbus/contract";
import { isErrorCode } from "@fnbus/contract";
import type { Transport } from "./transport.ts";

/** One call of a function. */
export interface Call {
  method?: "POST" | "GET" | "PUT" | "PATCH" | "DELETE";
  /** What follows invoke: "/stock/today". */
  path?: string;
  /** Raw query without "?". */
  query?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** The same key is the same invocation, however often it is sent. */
  idempotencyKey?: string;
  traceparent?: string;
  /** How long the caller waits; the function is told what is left of it. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** What a synchronous call gave: the function's own status, headers and body. */
export interface CallAnswer {
  status: number;
  headers: HeaderList;
  body: Uint8Array;
  invocationId: string;
  durationMs: number | undefined;
  /** Set where the function itself failed (I9): thrown, timed out, or answered 5xx. */
  error: { code: ErrorCode; side: ErrorSide } | undefined;
}

export interface Accepted {
  id: string;
  callId: string;
  location: string;
  /** The key was known: this invocation exists already. */
  replayed: boolean;
}

export interface Calls {
  /**
   * Calls a function and returns its answer, whatever its status. Throws ClientError where there is no answer of the
   * function: of side `platform` or `caller`, and of side `function` where it failed without one.
   */
  invoke(space: string, name: string, call?: Call): Promise<CallAnswer>;
  /** Accepts a call; resolves when it is stored. Without a key of the caller's one is made, so that repeats are safe. */
  invokeAsync(space: string, name: string, call?: Omit<Call, "method"> & { callbackUrl?: string }): Promise<Accepted>;
}

/** Over what the function gets: the platform answers first, with its own error. */
const ANSWER_MARGIN_MS = 5_000;

export function createCalls(transport: Transport): Calls {
  const toPath = (space: string, name: string, word: string, { path = "", query = "" }: Call) =>
    `/spaces/${encodeURIComponent(space)}/functions/${encodeURIComponent(name)}/${word}` +
    `${path === "" || path.startsWith("/") ? path : `/${path}`}${query === "" ? "" : `?${query}`}`;
  const toHeaders = (call: Call): Record<string, string> => ({
    ...call.headers,
    ...(call.idempotencyKey === undefined ? {} : { "idempotency-key": call.idempotencyKey }),
    ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
    ...(call.timeoutMs === undefined ? {} : { "x-timeout": `${Math.ceil(call.timeoutMs)}ms` }),
  });
  const toTimes = ({ timeoutMs, signal }: Call) => ({
    ...(timeoutMs === undefined ? {} : { timeoutMs: timeoutMs + ANSWER_MARGIN_MS }),
    ...(signal === undefined ? {} : { signal }),
  });
  const toBody = ({ body }: Call) => (body === undefined ? {} : { body });

  return {
    async invoke(space, name, call = {}) {
      const response = await transport.send({
        method: call.method ?? "POST",
        path: toPath(space, name, "invoke", call),
        headers: toHeaders(call),
        ...toBody(call),
        isSafe: call.idempotencyKey !== undefined,
        ...toTimes(call),
        takes: isFunctionAnswer,
      });
      const code = response.headers.get("x-fnbus-error") ?? "";
      const seconds = Number(response.headers.get("x-duration-seconds") ?? Number.NaN);
      return {
        status: response.status,
        headers: [...response.headers],
        body: new Uint8Array(await response.arrayBuffer()),
        invocationId: response.headers.get("x-fnbus-invocation-id") ?? "",
        durationMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
        error: isErrorCode(code) ? { code, side: "function" } : undefined,
      };
    },
    async invokeAsync(space, name, call = {}) {
      const response = await transport.send({
        method: "POST",
        path: toPath(space, name, "async-invoke", call),
        headers: {
          ...toHeaders({ ...call, idempotencyKey: call.idempotencyKey ?? randomUUID() }),
          ...(call.callbackUrl === undefined ? {} : { "x-callback-url": call.callbackUrl }),
        },
        ...toBody(call),
        isSafe: true,
        ...toTimes(call),
      });
      await response.body?.cancel();
      const id = response.headers.get("x-fnbus-invocation-id") ?? "";
      return {
        id,
        callId: response.headers.get("x-call-id") ?? id,
        location: response.headers.get("location") ?? "",
        replayed: response.headers.get("idempotent-replayed") === "true",
      };
    },
  };
}

/** The function's own answer carries how long it ran; an error of the platform, or of a run without an answer, does not. */
const isFunctionAnswer = (response: Response): boolean => response.headers.has("x-duration-seconds");
