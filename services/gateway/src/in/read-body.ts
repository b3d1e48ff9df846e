import type { IncomingMessage, ServerResponse } from "node:http";
import { FnbusError } from "@fnbus/contract";

const EMPTY = Buffer.alloc(0);

/** Methods whose bodies mean nothing (RFC 9110 section 9.3.1). */
const bodyless = new Set(["GET", "HEAD", "TRACE"]);

/**
 * A request's body in memory. Throws `body_too_large`, and `invalid_request` where the connection was cut: `response` then is
 * the connection's last, for the rest of the body may still come.
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
): Promise<Buffer> | Buffer {
  const { headers } = request;
  const isEmpty =
    headers["transfer-encoding"] === undefined &&
    (headers["content-length"] === undefined || headers["content-length"] === "0");
  return isEmpty || bodyless.has(request.method!) ? EMPTY : collect(request, response, limitBytes);
}

function collect(request: IncomingMessage, response: ServerResponse, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const refuse = (error: FnbusError) => {
      if (!response.headersSent) response.setHeader("connection", "close");
      reject(error);
    };
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limitBytes) chunks.push(chunk);
      else refuse(new FnbusError("body_too_large", undefined, { details: { limitBytes } }));
    });
    request.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)));
    request.on("error", () =>
      refuse(new FnbusError("invalid_request", "the connection was cut while the body was read")),
    );
  });
}
