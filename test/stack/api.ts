import { Agent, request } from "undici";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  text: string;
  json<T = Record<string, unknown>>(): T;
}

export interface CallOptions {
  body?: string | Buffer;
  headers?: Record<string, string>;
  timeoutMs?: number;
  /** Which replica of the gateway. */
  gateway?: number;
}

/** The platform over HTTP, as any client sees it: no retries, nothing known of its inside. */
export interface Api {
  urls: string[];
  key: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export function createApi(urls: string[], key: string): Api {
  const agent = new Agent({ connections: 256, keepAliveTimeout: 4000 });
  return {
    urls,
    key,
    async call(method, path, options = {}) {
      const answer = await request(`${urls[options.gateway ?? 0]}${path}`, {
        method: method as "GET",
        headers: { authorization: `Bearer ${key}`, ...options.headers },
        ...(options.body === undefined ? {} : { body: options.body }),
        dispatcher: agent,
        headersTimeout: options.timeoutMs ?? 70_000,
        signal: AbortSignal.timeout(options.timeoutMs ?? 70_000),
      });
      const body = Buffer.from(await answer.body.arrayBuffer());
      const headers = Object.fromEntries(
        Object.entries(answer.headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(", ") : (value ?? ""),
        ]),
      );
      return {
        status: answer.statusCode,
        headers,
        body,
        get text() {
          return body.toString("utf8");
        },
        json: () => JSON.parse(body.toString("utf8")),
      };
    },
    close: () => agent.destroy(),
  };
}
