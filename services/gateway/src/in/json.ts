import { FnbusError } from "@fnbus/contract";
import type { FastifyInstance } from "fastify";

/** JSON bodies of the routes below `app`: faults say where; an empty body is none, whatever its content type says. */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeContentTypeParser(["application/json", "text/plain"]);
  app.addContentTypeParser(
    ["application/json", "application/merge-patch+json"],
    { parseAs: "string" },
    (_request, text, done) => {
      try {
        done(null, parseJson(text as string));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

function parseJson(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text, refuseProto);
  } catch (error) {
    if (error instanceof FnbusError) throw error;
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new FnbusError("invalid_json", (error as Error).message.slice(0, 200), {
      details: { position: position === undefined ? text.length : Number(position) },
    });
  }
}

/** A field of this name would become an object's prototype wherever it is copied by assignment. */
function refuseProto(name: string, value: unknown): unknown {
  if (name === "__proto__")
    throw new FnbusError("invalid_json", "the name __proto__ is not allowed", { details: { position: 0 } });
  return value;
}
