import { limits, toFunctionHeaders } from "@fnbus/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { readCallHeaders } from "../../core/call-headers.ts";
import type { HttpCall } from "../../core/envelope.ts";
import { toCallTarget } from "../../core/target.ts";
import type { Doors } from "../doors.ts";
import { invokeAsync } from "./invoke-async.ts";
import { invokeSync } from "./invoke-sync.ts";
import { toReadyFunction } from "./ready.ts";

const SYNC_METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE"];
const EMPTY = Buffer.alloc(0);

/**
 * The invoke routes (wire-compatibility.md 7.2, 7.3). Bodies are bytes whatever their content type says, nothing is parsed,
 * validated or logged: this is the hot path.
 */
export async function invokeRoutes(app: FastifyInstance, doors: Doors): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  // Fastify judges a content type's syntax even for "*"; the function gets the raw header all the same.
  app.addHook("onRequest", (request, _reply, done) => {
    delete request.raw.headers["content-type"];
    done();
  });

  const routes = [
    ["invoke", SYNC_METHODS, invokeSync],
    ["async-invoke", ["POST"], invokeAsync],
  ] as const;
  for (const [word, method, handle] of routes) {
    const handler = (request: FastifyRequest, reply: FastifyReply) => {
      const call = toHttpCall(request);
      const { space, name } = request.params as { space: string; name: string };
      return handle(doors, toReadyFunction(doors.registry, space, name), call, bodyOf(request), reply);
    };
    const config = { dialect: "smartworks", scope: "function.invoke" } as const;
    const options = { method: [...method], handler, bodyLimit: limits.requestBodyBytes };
    app.route({ ...options, url: `/spaces/:space/functions/:name/${word}`, config: { ...config, doc: docOf(word) } });
    app.route({
      ...options,
      url: `/spaces/:space/functions/:name/${word}/*`,
      config: { ...config, doc: { hide: true } },
    });
  }
}

const bodyOf = (request: FastifyRequest): Buffer => (request.body as Buffer | undefined) ?? EMPTY;

function toHttpCall(request: FastifyRequest): HttpCall {
  const { rawHeaders } = request.raw;
  return {
    method: request.method,
    target: toCallTarget(request.raw.url!),
    headers: toFunctionHeaders(rawHeaders),
    call: readCallHeaders(rawHeaders),
  };
}

const docOf = (word: string): Record<string, unknown> => ({
  tags: ["SmartWorks"],
  summary:
    word === "invoke" ? "Call a function and get its answer" : "Accept a call; its answer goes to X-Callback-Url",
  description: `Up to three path levels may follow: /${word}/a/b/c. They and the query reach the function.`,
});
