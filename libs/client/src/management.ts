import type {
  AccessKey,
  CodeVersion,
  FunctionDefinition,
  FunctionSettings,
  InvocationState,
  InvocationView,
  LogLine,
  Space,
} from "@fnbus/contract";
import type { Transport } from "./transport.ts";
import { createTriggerCalls } from "./triggers.ts";
import type { OnProgress } from "./upload.ts";

/** A function as the management API shows it: the definition and the revision that an update may demand. */
export type FunctionView = FunctionDefinition & { revision: number; warnings?: string[] };
export type KeyView = Omit<AccessKey, "secretHash">;
export type NewFunction = Partial<FunctionSettings> & { name: string };

export interface ListInvocations {
  function?: string;
  state?: InvocationState;
  since?: string;
  until?: string;
  limit?: number;
  cursor?: string;
  callback?: "pending" | "delivered" | "given-up";
}

export interface Page<T> {
  data: T[];
  next?: string;
}

/** An upload of a large archive on a slow line. */
const UPLOAD_TIMEOUT_MS = 10 * 60_000;

/** The platform's own API below /v1. Every call throws ClientError. */
export function createManagement(transport: Transport) {
  const json = <T>(method: string, path: string, body?: unknown, query = {}): Promise<T> =>
    transport.json<T>({
      method,
      path: `/v1${path}`,
      query,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  const at = encodeURIComponent;
  const functionPath = (space: string, name = "") => `/spaces/${at(space)}/functions${name && `/${at(name)}`}`;
  const invocationPath = (space: string, id = "") => `/spaces/${at(space)}/invocations${id && `/${at(id)}`}`;

  return {
    whoami: () => json<{ id: string; name: string; scopes: string[]; spaces: string[] }>("GET", "/whoami"),
    spaces: {
      list: async () => (await json<Page<Space>>("GET", "/spaces")).data,
      create: (name: string, description?: string) =>
        json<Space>("POST", "/spaces", { name, ...(description === undefined ? {} : { description }) }),
      delete: (name: string) => json<void>("DELETE", `/spaces/${at(name)}`),
    },
    functions: {
      list: async (space: string) => (await json<Page<FunctionView>>("GET", functionPath(space))).data,
      get: (space: string, name: string) => json<FunctionView>("GET", functionPath(space, name)),
      create: (space: string, definition: NewFunction) => json<FunctionView>("POST", functionPath(space), definition),
      patch: (space: string, name: string, settings: Partial<FunctionSettings>) =>
        json<FunctionView>("PATCH", functionPath(space, name), settings),
      delete: (space: string, name: string) => json<void>("DELETE", functionPath(space, name)),
      /** Uploads a ZIP archive as the new code. The answer comes when an executor has found it fit. */
      putCode: (space: string, name: string, archive: Uint8Array, onProgress?: OnProgress) =>
        transport.json<FunctionView>({
          method: "PUT",
          path: `/v1${functionPath(space, name)}/code`,
          headers: { "content-type": "application/zip" },
          body: archive,
          onProgress,
          timeoutMs: UPLOAD_TIMEOUT_MS,
        }),
      versions: async (space: string, name: string) =>
        (await json<Page<CodeVersion>>("GET", `${functionPath(space, name)}/code/versions`)).data,
    },
    triggers: createTriggerCalls(json),
    keys: {
      list: async () => (await json<Page<KeyView>>("GET", "/keys")).data,
      /** The answer's `key` is the only time that the secret is shown. */
      create: (wanted: { name: string; scopes: string[]; spaces?: string[]; expiresAt?: number; rate?: number }) =>
        json<KeyView & { key: string }>("POST", "/keys", wanted),
      revoke: (id: string) => json<void>("DELETE", `/keys/${at(id)}`),
    },
    invocations: {
      list: (space: string, filter: ListInvocations = {}) =>
        json<Page<InvocationView>>("GET", invocationPath(space), undefined, filter),
      /** With `waitSeconds` the answer comes at the end, or with the present state when the time is over. */
      get: (space: string, id: string, waitSeconds?: number) =>
        json<InvocationView>("GET", invocationPath(space, id), undefined, { wait: waitSeconds }),
      result: async (space: string, id: string) => {
        const response = await transport.send({ method: "GET", path: `/v1${invocationPath(space, id)}/result` });
        return {
          status: response.status,
          headers: response.headers,
          body: new Uint8Array(await response.arrayBuffer()),
        };
      },
      cancel: (space: string, id: string) =>
        json<{ id: string; state: InvocationState }>("POST", `${invocationPath(space, id)}/cancel`),
      redrive: (space: string, id: string) =>
        json<{ id: string; redriveOf: string }>("POST", `${invocationPath(space, id)}/redrive`),
      /** Delivers the callback of an ended invocation again. */
      redriveCallback: (space: string, id: string) =>
        json<{ id: string }>("POST", `${invocationPath(space, id)}/callback/redrive`),
    },
    /** Log lines of a function, oldest first; with `follow` for as long as the caller reads. */
    async *logs(
      space: string,
      name: string,
      {
        signal,
        ...query
      }: { since?: string; tail?: number; follow?: boolean; invocation?: string; signal?: AbortSignal } = {},
    ): AsyncGenerator<LogLine> {
      const response = await transport.send({
        method: "GET",
        path: `/v1${functionPath(space, name)}/logs`,
        query: { ...query, follow: query.follow ? "true" : undefined },
        timeoutMs: LONGEST_TIMER_MS,
        signal,
      });
      for await (const line of linesOf(response)) yield JSON.parse(line) as LogLine;
    },
  };
}

/** A log that is followed has no end: the longest timer there is. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line !== "") yield line;
  }
  if (rest !== "") yield rest;
}
