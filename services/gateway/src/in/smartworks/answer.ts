import type { ServerResponse } from "node:http";
import type { HeaderList } from "@fnbus/contract";
import type { FastifyReply } from "fastify";

const EMPTY = new Uint8Array(0);
/** Bodies up to this go out in one write with the head: as text Node joins the two, as bytes it makes two chunks. */
const ONE_WRITE_BYTES = 16 * 1024;

/** Answers with these bytes. Throws where status or headers cannot be sent; nothing is sent then. */
export function writeAnswer(
  response: ServerResponse,
  status: number,
  headers: HeaderList,
  body: Uint8Array = EMPTY,
): void {
  const flat: string[] = [];
  for (const [name, value] of headers) flat.push(name, value);
  const hasBody = status !== 204 && status !== 304;
  if (hasBody) flat.push("content-length", String(body.length));
  response.writeHead(status, flat);
  if (!hasBody || body.length === 0) response.end();
  else if (body.length > ONE_WRITE_BYTES) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1"), "latin1");
}

/** The same past Fastify's reply, whose hooks and serialisation such an answer does not need. */
export function sendAnswer(reply: FastifyReply, status: number, headers: HeaderList, body?: Uint8Array): FastifyReply {
  // What cannot be sent throws here, while Fastify still answers for it.
  writeAnswer(reply.raw, status, headers, body);
  return reply.hijack();
}
