import { limits } from "@fnbus/contract";
import type { FastifyInstance } from "fastify";
import { type CallDoor, type CallWord, callMethods, toCallRoute } from "./call-door.ts";

/** The invoke routes (wire-compatibility.md 7.2, 7.3), for their description and for calls that are written unusually. */
export async function invokeRoutes(app: FastifyInstance, serve: CallDoor["serve"]): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _body, done) => done(null));
  // Fastify judges a content type's syntax even for "*"; the function gets the raw header all the same.
  app.addHook("onRequest", (request, _reply, done) => {
    delete request.raw.headers["content-type"];
    done();
  });
  for (const word of ["invoke", "async-invoke"] as const) {
    const config = { dialect: "smartworks", scope: "function.invoke", takesRaw: true } as const;
    const route = toCallRoute(word);
    const options = { method: [...callMethods[word]], bodyLimit: limits.requestBodyBytes };
    for (const { url, doc } of [
      { url: route, doc: docOf(word) },
      { url: `${route}/*`, doc: { hide: true } },
    ])
      app.route<{ Params: { space: string; name: string } }>({
        ...options,
        url,
        config: { ...config, doc },
        handler({ raw, params }, reply) {
          serve(raw, reply.hijack().raw, word, params.space, params.name);
        },
      });
  }
}

const docOf = (word: CallWord): Record<string, unknown> => ({
  tags: ["SmartWorks"],
  summary:
    word === "invoke" ? "Call a function and get its answer" : "Accept a call; its answer goes to X-Callback-Url",
  description: `Up to three path levels may follow: /${word}/a/b/c. They and the query reach the function.`,
});
