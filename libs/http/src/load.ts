import type { IncomingMessage, ServerResponse } from "node:http";
import { toHeldBytes } from "./body-bytes.ts";

/** What is in progress, for the bounds (I11) and for a graceful stop. */
export interface Load {
  readonly open: Iterable<ServerResponse> & { readonly size: number };
  readonly bodyBytes: number;
  /** Each answer is the last of its connection. */
  stopping: boolean;
  /** Counts a request until what is returned is called, once. `bytes`: of its body. */
  take(response: ServerResponse, bytes: number): () => void;
}

export function createLoad(): Load {
  /** Places that are used again, not a Set: one that every call passes through makes garbage that outlives the call. */
  const places: (ServerResponse | undefined)[] = [];
  const free: number[] = [];
  let bodyBytes = 0;
  const load: Load = {
    open: {
      get size() {
        return places.length - free.length;
      },
      *[Symbol.iterator]() {
        for (const response of places) if (response) yield response;
      },
    },
    get bodyBytes() {
      return bodyBytes;
    },
    stopping: false,
    take(response, bytes) {
      const place = free.pop() ?? places.length;
      places[place] = response;
      bodyBytes += bytes;
      if (load.stopping) response.setHeader("connection", "close");
      return () => {
        places[place] = undefined;
        free.push(place);
        bodyBytes -= bytes;
      };
    },
  };
  return load;
}

/** Counts a request until its answer is out, or its connection is gone: Fastify's onResponse does not hear of the second. */
export function takeUntilClosed(
  load: Load,
  request: IncomingMessage,
  response: ServerResponse,
  bodyLimit: number,
): void {
  response.once("close", load.take(response, toHeldBytes(request, bodyLimit)));
}
