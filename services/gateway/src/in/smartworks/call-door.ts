import type { IncomingMessage, ServerResponse } from "node:http";
import { limits, type RegisteredFunction, toFunctionHeaders } from "@fnbus/contract";
import { type Admit, type Load, toHeldBytes } from "@fnbus/http";
import { readCallHeaders } from "../../core/call-headers.ts";
import type { HttpCall } from "../../core/envelope.ts";
import { toCallTarget } from "../../core/target.ts";
import type { Doors } from "../doors.ts";
import { sendCallFailure } from "../failures.ts";
import { readBody } from "../read-body.ts";
import { invokeAsync } from "./invoke-async.ts";
import { invokeSync } from "./invoke-sync.ts";
import { toReadyFunction } from "./ready.ts";

/** Answers one call whose request is in. Throws what is to be answered instead. */
type Invoke = (
  doors: Doors,
  registered: RegisteredFunction,
  http: HttpCall,
  body: Buffer,
  response: ServerResponse,
) => Promise<void>;

export type CallWord = "invoke" | "async-invoke";
const invokes: Record<CallWord, Invoke> = { invoke: invokeSync, "async-invoke": invokeAsync };
/** What each word takes (wire-compatibility.md 7.2, 7.3). */
export const callMethods: Record<CallWord, readonly string[]> = {
  invoke: ["POST", "GET", "PUT", "PATCH", "DELETE"],
  "async-invoke": ["POST"],
};

export const toCallRoute = (word: CallWord): string => `/spaces/:space/functions/:name/${word}`;

/** A call's target as nearly every client writes it. */
const plain = /^\/spaces\/([a-z0-9-]{1,64})\/functions\/([a-z0-9-]{1,64})\/((?:async-)?invoke)(?:[/?]|$)/;

/**
 * The door that calls come in by, with neither router nor framework between: this is the hot path. Bodies are bytes whatever
 * their content type says, nothing is parsed, validated or logged.
 */
export interface CallDoor {
  /** Takes a request that is plainly a call; whatever else is for the router, which knows each spelling and refusal. */
  take(request: IncomingMessage, response: ServerResponse): boolean;
  /** Answers a call, in any case. */
  serve(request: IncomingMessage, response: ServerResponse, word: CallWord, space: string, name: string): void;
}

export function createCallDoor(doors: Doors, load: Load, admit: Admit): CallDoor {
  const bodyLimit = limits.requestBodyBytes;

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    word: CallWord,
    space: string,
    name: string,
  ): Promise<void> {
    const release = load.take(response, toHeldBytes(request, bodyLimit));
    try {
      admit(request, response, { scope: "function.invoke", space, bodyLimit });
      const body = await readBody(request, response, bodyLimit);
      const http = toHttpCall(request);
      await invokes[word](doors, toReadyFunction(doors.registry, space, name), http, body, response);
    } catch (thrown) {
      sendCallFailure(doors, thrown, toCallRoute(word), response);
    }
    // An answer that nobody reads fast enough is in progress until it is out.
    if (response.writableFinished || response.destroyed) release();
    else response.once("close", release);
  }
  const serve: CallDoor["serve"] = (...call) => void answer(...call);

  return {
    serve,
    take(request, response) {
      const [, space, name, word] = plain.exec(request.url!) ?? [];
      if (word === undefined || !callMethods[word as CallWord].includes(request.method!)) return false;
      serve(request, response, word as CallWord, space!, name!);
      return true;
    },
  };
}

function toHttpCall({ method, url, rawHeaders }: IncomingMessage): HttpCall {
  return {
    method: method!,
    target: toCallTarget(url!),
    headers: toFunctionHeaders(rawHeaders),
    call: readCallHeaders(rawHeaders),
  };
}
