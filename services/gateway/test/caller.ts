import type { Platform } from "./platform.ts";

export type Json = Record<string, unknown> & { code?: string; data?: Record<string, unknown>[] };
export type Caller = ReturnType<typeof createCaller>;

/** Calls the management API and reads its answer. */
export function createCaller(platform: Platform) {
  return call;

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    key?: string,
  ) {
    const isBytes = body instanceof Uint8Array;
    const answer = await platform.fetch(`/v1${path}`, {
      method,
      headers: { ...(body === undefined || isBytes ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined
        ? {}
        : {
            body: isBytes ? (body as Uint8Array<ArrayBuffer>) : typeof body === "string" ? body : JSON.stringify(body),
          }),
      ...(key === undefined ? {} : { key }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: (/[+/]json/.test(answer.headers.get("content-type") ?? "") ? JSON.parse(text) : {}) as Json,
    };
  }
}
