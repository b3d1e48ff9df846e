import { FnbusError } from "@fnbus/contract";
import type { AddressGuard } from "@fnbus/guard";
import { signCallback } from "@fnbus/signing";
import { Agent, type Dispatcher } from "undici";
import type { CallbackRequest } from "../core/callback-request.ts";
import type { PostResult } from "../core/judgement.ts";
import { parseRetryAfter } from "../core/schedule.ts";
import { type Answer, send } from "./sending.ts";

/** Sends callbacks. */
export interface Callbacks {
  /** One try. Never throws: whatever happens is its result. `secrets`: newest first. */
  post(request: CallbackRequest, secrets: readonly string[]): Promise<PostResult>;
  close(): Promise<void>;
}

const MAX_RESPONSE_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const CONNECT_MS = 5_000;
const KEEP_ALIVE_MS = 4_000;
const MESSAGE_CHARS = 300;
const MAX_PLACES = 1_000;

/** A client that calls strangers: no redirects, no decompression, every time and size bounded, addresses guarded (RELIABILITY.md 2.11). */
export function createCallbacks(guard: AddressGuard, options: { timeoutMs: number; perHost: number }): Callbacks {
  const agent = new Agent({
    allowH2: false,
    pipelining: 1,
    connections: options.perHost,
    connect: { timeout: Math.min(CONNECT_MS, options.timeoutMs), lookup: guard.lookup, autoSelectFamily: true },
    headersTimeout: options.timeoutMs,
    bodyTimeout: CONNECT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    maxResponseSize: MAX_RESPONSE_BYTES,
    strictContentLength: true,
  });

  /** Of checked URLs: where they lead. Most callbacks go where others have gone. */
  const places = new Map<string, Pick<Dispatcher.DispatchOptions, "origin" | "path">>();

  /** Throws what the guard says of the URL. */
  function placeOf(text: string) {
    const known = places.get(text);
    if (known) return known;
    const url = guard.checkUrl(text);
    const place = { origin: url.origin, path: url.pathname + url.search };
    if (places.size >= MAX_PLACES) places.clear();
    places.set(text, place);
    return place;
  }

  return {
    async post(request, secrets) {
      try {
        const signatures = signCallback(secrets, request.facts, request.body, Date.now() / 1000);
        const headers = [...request.headers.flat(), ...Object.entries(signatures).flat()];
        const call = { ...placeOf(request.url), method: "POST" as const, headers, body: request.body };
        return toResult(await send(agent, call, options.timeoutMs));
      } catch (error) {
        return toFailure(error);
      }
    },
    close: () => agent.destroy(),
  };
}

function toResult({ statusCode, headers }: Answer): PostResult {
  const header = headers["retry-after"];
  const retryAfterMs = parseRetryAfter(Array.isArray(header) ? header[0] : header, Date.now());
  return { statusCode, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The client's error, and the cause that it wraps, without anything of the request. */
function toFailure(thrown: unknown): PostResult {
  const errors = [thrown, (thrown as Error).cause].filter((error) => error instanceof Error);
  const refused = errors.find((error) => error instanceof FnbusError);
  const message = errors.map((error) => error.message).join(": ") || "no answer";
  return {
    errorCode: refused?.code.startsWith("callback_url") ? "callback_url_forbidden" : "callback_failed",
    message: (refused?.message ?? message).slice(0, MESSAGE_CHARS),
  };
}
