import { setTimeout as sleep } from "node:timers/promises";
import { ClientError, toClientError } from "./client-error.ts";
import { retryDelayMs } from "./retry.ts";
import { type OnProgress, toStream } from "./upload.ts";

export interface ClientOptions {
  /** Base URL of the platform: "http://127.0.0.1:8080". */
  url: string;
  /** Bearer key `fnb_<id>_<secret>` or OAuth2 token. */
  apiKey?: string;
  /** Of one request in all, its repeats too. */
  timeoutMs?: number;
  /** Repeats of one request. */
  retries?: number;
}

export interface TransportRequest {
  method: string;
  path: string;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Hears how much of a body of bytes was sent; a repeat begins at zero again. */
  onProgress?: OnProgress | undefined;
  /** May be repeated without doing it twice. Default: every method but POST and PATCH. */
  isSafe?: boolean;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
  /** Statuses that are answers although they are errors (a function's own). */
  takes?(response: Response): boolean;
}

export interface Transport {
  /** The answer, its body not read yet. Throws ClientError. */
  send(request: TransportRequest): Promise<Response>;
  /** The answer's JSON; undefined for one without a body. */
  json<T>(request: TransportRequest): Promise<T>;
}

const DEFAULT_TIMEOUT_MS = 70_000;
const DEFAULT_RETRIES = 4;
const safeMethods = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);

export function createTransport(options: ClientOptions): Transport {
  const base = options.url.replace(/\/+$/, "");
  const retries = options.retries ?? DEFAULT_RETRIES;

  async function once(request: TransportRequest, signal: AbortSignal): Promise<Response> {
    const url = new URL(base + request.path);
    for (const [name, value] of Object.entries(request.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const response = await fetch(url, {
      method: request.method,
      headers: { ...(options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}), ...request.headers },
      ...toBody(request),
      // A redirect would carry the key to whoever it names.
      redirect: "manual",
      signal,
    }).catch((error: Error) => {
      throw toUnreachable(base, error);
    });
    // "Not ready" is a 202 (wire-compatibility.md 7.3): the header says that it is none of the function's.
    const isOurs = (response.headers.get("x-fnbus-error-side") ?? "function") !== "function";
    if ((response.ok && !isOurs) || request.takes?.(response)) return response;
    throw toClientError(response.status, response.headers, await response.text().catch(() => ""));
  }

  async function send(request: TransportRequest): Promise<Response> {
    const deadline = AbortSignal.timeout(request.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline;
    const isSafe = request.isSafe ?? safeMethods.has(request.method);
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(request, signal);
      } catch (error) {
        const delayMs =
          error instanceof ClientError && !signal.aborted
            ? retryDelayMs(error, { attempt, retries, isSafe }, Math.random())
            : undefined;
        if (delayMs === undefined) throw error;
        const waited = await sleep(delayMs, true, { signal }).catch(() => false);
        if (!waited) throw error;
      }
    }
  }

  return {
    send,
    async json<T>(request: TransportRequest) {
      const response = await send(request);
      const text = await response.text();
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
  };
}

function toBody({ body, onProgress }: TransportRequest): RequestInit {
  if (body === undefined) return {};
  if (typeof body === "string" || !onProgress) return { body: body as string | Uint8Array<ArrayBuffer> };
  return { body: toStream(body, onProgress), duplex: "half" };
}

function toUnreachable(base: string, error: Error): ClientError {
  const reason = error.cause instanceof Error ? error.cause : error;
  const isLate = error.name === "TimeoutError" || error.name === "AbortError";
  return new ClientError({
    code: "unreachable",
    status: 0,
    message: isLate ? `no answer from ${base} in time` : `no platform answers at ${base} (${reason.message})`,
    fix: "Start it: npm start. Or set FNBUS_URL to where it runs.",
    cause: error,
  });
}
